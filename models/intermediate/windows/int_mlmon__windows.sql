-- The ledger. One row per monitor, version and window ever seen, with fingerprints of what the logs hold for
-- it now; a window that became empty stays with zero counts. Windows before the searched stretch keep their
-- row, and windows with rows older than the log's oldest are frozen: the log was cut, the history was not.
{{ config(
    access='public',
    materialized='incremental',
    unique_key='window_key',
    incremental_strategy='delete+insert',
    on_schema_change='append_new_columns',
    post_hook="{{ mlmon.record_ledger() }}",
) }}

with

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

searched_windows as (
    select
        prediction_windows.*,
        {{ mlmon.window_key() }} as window_key
    from {{ ref('int_mlmon__searched_windows') }} as prediction_windows
),

label_windows as (
    select * from {{ ref('int_mlmon__searched_label_windows') }}
),

filled as (
    select
        searched.window_key,
        searched.monitor,
        searched.model_version,
        searched.window_index,
        searched.window_start,
        searched.window_end,
        searched.n_log_rows,
        searched.n_predictions,
        searched.n_errors,
        searched.n_duplicates,
        searched.n_late_rows,
        searched.n_skewed_rows,
        coalesce(labelled.n_labels, 0) as n_labels,
        searched.first_predicted_at,
        searched.last_predicted_at,
        searched.first_loaded_at,
        searched.last_loaded_at,
        labelled.last_label_loaded_at,
        searched.max_load_delay_microseconds,
        md5(
            cast(searched.n_log_rows as {{ dbt.type_string() }})
            || '|' || cast(searched.n_predictions as {{ dbt.type_string() }})
            || '|' || cast(searched.n_errors as {{ dbt.type_string() }})
            || '|' || cast(
                {{ mlmon.microseconds('searched.last_loaded_at') }} as {{ dbt.type_string() }}
            )
            || '|' || cast(searched.checksum as {{ dbt.type_string() }})
        ) as prediction_fingerprint,
        coalesce(
            cast(labelled.n_labels as {{ dbt.type_string() }})
            || '|' || cast(labelled.checksum as {{ dbt.type_string() }}),
            ''
        ) as label_fingerprint
    from searched_windows as searched
    left join label_windows as labelled
        on
            searched.monitor = labelled.monitor
            and searched.model_version = labelled.model_version
            and searched.window_index = labelled.window_index
)

select
    window_key,
    monitor,
    model_version,
    cast(window_index as bigint) as window_index,
    window_start,
    window_end,
    cast(n_log_rows as bigint) as n_log_rows,
    cast(n_predictions as bigint) as n_predictions,
    cast(n_errors as bigint) as n_errors,
    cast(n_duplicates as bigint) as n_duplicates,
    cast(n_late_rows as bigint) as n_late_rows,
    cast(n_skewed_rows as bigint) as n_skewed_rows,
    cast(n_labels as bigint) as n_labels,
    first_predicted_at,
    last_predicted_at,
    first_loaded_at,
    last_loaded_at,
    last_label_loaded_at,
    cast(max_load_delay_microseconds as bigint) as max_load_delay_microseconds,
    prediction_fingerprint,
    label_fingerprint
from filled
{%- if is_incremental() %}
where
    not exists (
        select 1 from {{ this }} as known
        inner join bounds
            on known.monitor = bounds.monitor
        where
            filled.window_key = known.window_key
            and known.first_predicted_at < bounds.first_predicted_at
            and known.window_end = filled.window_end
    )

union all

select
    known.window_key,
    known.monitor,
    known.model_version,
    known.window_index,
    known.window_start,
    known.window_end,
    0 as n_log_rows,
    0 as n_predictions,
    0 as n_errors,
    0 as n_duplicates,
    0 as n_late_rows,
    0 as n_skewed_rows,
    0 as n_labels,
    cast(null as timestamp) as first_predicted_at,
    cast(null as timestamp) as last_predicted_at,
    cast(null as timestamp) as first_loaded_at,
    cast(null as timestamp) as last_loaded_at,
    cast(null as timestamp) as last_label_loaded_at,
    cast(null as bigint) as max_load_delay_microseconds,
    'empty' as prediction_fingerprint,
    '' as label_fingerprint
from {{ this }} as known
left join bounds
    on known.monitor = bounds.monitor
where
    known.n_log_rows > 0
    and known.window_key not in (select window_key from filled)
    -- Its monitor left the configuration, its clock is no longer the monitor's, or its rows left the searched
    -- stretch of the log.
    and (
        bounds.monitor is null
        or known.window_index <> {{ mlmon.window_index('known.window_start', 'known.monitor') }}
        or known.window_start <> {{ mlmon.window_start('known.window_index', 'known.monitor') }}
        or (
            known.window_start >= bounds.search_from_at
            and known.first_predicted_at >= bounds.first_predicted_at
        )
    )
{%- endif %}
