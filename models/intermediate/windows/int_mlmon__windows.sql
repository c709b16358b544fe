-- One row per monitor, version and base window ever seen, with counts and fingerprints of what the
-- logs hold for it now: the ledger. What has changed since a fact was computed is told by its
-- fingerprints. A window that became empty stays with zero counts. Windows before the part of the
-- log that this run searches keep their row, and windows that had rows older than the log's oldest
-- are frozen: rows were deleted from the log, which does not change the past.
-- The windows of reference tables have rows, too (source 'reference'). A reference table is always
-- read completely and all its rows count: none is late, a duplicate or frozen, and a window that it
-- no longer has becomes empty.
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

-- Used twice with different columns: each use reads the log by itself.
predictions as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__resolved_predictions') }}
),

labels as (
    select * from {{ ref('stg_mlmon__labels') }}
    where quarantine_reason is null and has_label
),

prediction_rows as (
    select
        predictions.monitor,
        predictions.model_version,
        predictions.window_index,
        predictions.predicted_at,
        predictions.loaded_at,
        predictions.is_success,
        predictions.is_counting,
        {{ mlmon.add_time(
            'predictions.predicted_at', 'bounds.close_after_minutes', 'minute'
        ) }} as due_at,
        bounds.close_after_minutes,
        {{ mlmon.ledger_checksum([
            'predictions.request_id', mlmon.microseconds('predictions.predicted_at'),
            mlmon.microseconds('predictions.loaded_at'), 'predictions.outcome',
            'predictions.is_counting',
        ]) }} as row_checksum
    from predictions
    inner join bounds
        on predictions.monitor = bounds.monitor
),

prediction_windows as (
    select
        monitor,
        model_version,
        window_index,
        count(*) as n_log_rows,
        sum(case when is_counting then 1 else 0 end) as n_predictions,
        sum(case when is_counting and not is_success then 1 else 0 end) as n_errors,
        sum(case when is_counting then 0 else 1 end) as n_duplicates,
        -- Nearly every row is on time, which the first comparison tells without the window's end.
        sum(
            case
                when loaded_at <= due_at then 0
                when loaded_at <= {{ mlmon.add_time(
                    mlmon.window_start('window_index + 1'), 'close_after_minutes', 'minute'
                ) }} then 0
                else 1
            end
        ) as n_late_rows,
        sum(
            case
                when loaded_at >= predicted_at then 0
                when loaded_at < {{ mlmon.add_time('predicted_at', '-5', 'second') }} then 1
                else 0
            end
        ) as n_skewed_rows,
        min(predicted_at) as first_predicted_at,
        max(predicted_at) as last_predicted_at,
        min(loaded_at) as first_loaded_at,
        max(loaded_at) as last_loaded_at,
        max(
            {{ mlmon.microseconds('loaded_at') }} - {{ mlmon.microseconds('predicted_at') }}
        ) as max_load_delay_microseconds,
        sum(row_checksum) as checksum
    from prediction_rows
    group by monitor, model_version, window_index
),

started as (
    select
        prediction_windows.*,
        {{ mlmon.window_start('window_index') }} as window_start,
        {{ mlmon.window_start('window_index + 1') }} as window_end
    from prediction_windows
),

-- Labels join every version that scored their request; errors take no label.
label_rows as (
    select
        predictions.monitor,
        predictions.model_version,
        predictions.window_index,
        labels.loaded_at,
        {{ mlmon.row_checksum([
            'labels.request_id', mlmon.microseconds('labels.labeled_at'),
            mlmon.microseconds('labels.loaded_at'), 'labels.label_class',
            'labels.label_value',
        ]) }} as row_checksum
    from labels
    inner join predictions
        on
            labels.monitor = predictions.monitor
            and labels.request_id = predictions.request_id
    where predictions.is_counting and predictions.is_success
),

label_windows as (
    select
        monitor,
        model_version,
        window_index,
        count(*) as n_labels,
        max(loaded_at) as last_label_loaded_at,
        sum(row_checksum) as checksum
    from label_rows
    group by monitor, model_version, window_index
),

filled as (
    select
        {{ mlmon.window_key('started.monitor', 'started.model_version', 'started.window_start') }}
            as window_key,
        started.monitor,
        started.model_version,
        started.window_index,
        started.window_start,
        started.window_end,
        started.n_log_rows,
        started.n_predictions,
        started.n_errors,
        started.n_duplicates,
        started.n_late_rows,
        started.n_skewed_rows,
        coalesce(label_windows.n_labels, 0) as n_labels,
        started.first_predicted_at,
        started.last_predicted_at,
        started.first_loaded_at,
        started.last_loaded_at,
        label_windows.last_label_loaded_at,
        started.max_load_delay_microseconds,
        md5(
            cast(started.n_log_rows as {{ dbt.type_string() }})
            || '|' || cast(started.n_predictions as {{ dbt.type_string() }})
            || '|' || cast(started.n_errors as {{ dbt.type_string() }})
            || '|' || cast(
                {{ mlmon.microseconds('started.last_loaded_at') }} as {{ dbt.type_string() }}
            )
            || '|' || cast(started.checksum as {{ dbt.type_string() }})
        ) as prediction_fingerprint,
        coalesce(
            cast(label_windows.n_labels as {{ dbt.type_string() }})
            || '|' || cast(label_windows.checksum as {{ dbt.type_string() }}),
            ''
        ) as label_fingerprint
    from started
    left join label_windows
        on
            started.monitor = label_windows.monitor
            and started.model_version = label_windows.model_version
            and started.window_index = label_windows.window_index
),

reference_windows as (
    select
        md5(
            monitor || '|reference|' || reference_version || '|'
            || cast(window_index as {{ dbt.type_string() }})
        ) as window_key,
        monitor,
        reference_version,
        window_index,
        n_rows,
        n_labels,
        first_predicted_at,
        last_predicted_at,
        case when first_predicted_at is not null then {{ mlmon.window_start('window_index') }} end
            as window_start,
        case
            when first_predicted_at is not null then {{ mlmon.window_start('window_index + 1') }}
        end as window_end,
        md5(
            cast(n_rows as {{ dbt.type_string() }}) || '|'
            || cast(checksum as {{ dbt.type_string() }}) || '|'
            || cast(other_checksum as {{ dbt.type_string() }})
        ) as prediction_fingerprint
    from {{ ref('int_mlmon__reference_checksums') }}
)

select
    window_key,
    cast('log' as {{ dbt.type_string() }}) as source,
    monitor,
    model_version,
    cast(null as {{ dbt.type_string() }}) as reference_version,
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
{%- if is_incremental() and not flags.EMPTY %}
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
{%- endif %}

union all

select
    window_key,
    cast('reference' as {{ dbt.type_string() }}) as source,
    monitor,
    cast(null as {{ dbt.type_string() }}) as model_version,
    reference_version,
    window_index,
    window_start,
    window_end,
    n_rows as n_log_rows,
    n_rows as n_predictions,
    0 as n_errors,
    0 as n_duplicates,
    0 as n_late_rows,
    0 as n_skewed_rows,
    n_labels,
    first_predicted_at,
    last_predicted_at,
    cast(null as timestamp) as first_loaded_at,
    cast(null as timestamp) as last_loaded_at,
    cast(null as timestamp) as last_label_loaded_at,
    cast(null as bigint) as max_load_delay_microseconds,
    prediction_fingerprint,
    '' as label_fingerprint
from reference_windows
{%- if is_incremental() and not flags.EMPTY %}

union all

select
    known.window_key,
    known.source,
    known.monitor,
    known.model_version,
    known.reference_version,
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
    and not exists (
        select 1 from filled
        where filled.window_key = known.window_key
    )
    and not exists (
        select 1 from reference_windows
        where reference_windows.window_key = known.window_key
    )
    -- It is of a reference table, its monitor left the configuration, its clock is no longer the
    -- monitor's (another grain or time zone), or the searched part of the log no longer has its
    -- rows.
    and (
        known.source = 'reference'
        or bounds.monitor is null
        or known.window_index <> {{ mlmon.window_index('known.window_start', 'known.monitor') }}
        or known.window_start <> {{ mlmon.window_start('known.window_index', 'known.monitor') }}
        or (
            known.window_start >= bounds.search_from_at
            and known.first_predicted_at >= bounds.first_predicted_at
        )
    )
{%- endif %}
