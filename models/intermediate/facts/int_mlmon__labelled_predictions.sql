-- One row per counting prediction and label that counts for it, with the ages at which it does:
-- from its own age on, until a label with a newer loaded_at is old enough to take its place.
-- Performance at an age is taken from the labels that counted then, so a later correction never
-- rewrites an early age. Most predictions have one row; the one without an end is the latest. A
-- counting prediction is the one row of its request that is not a duplicate. A row of a reference
-- table with a label has a row, too: it counts at every age, and has no version and no request.
{{ config(
    access='public',
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

predictions as {{ mlmon.inlined() }} (
    select
        stale.window_key,
        stale.window_index,
        stale.window_number,
        resolved.monitor,
        resolved.model_version,
        resolved.request_id,
        resolved.predicted_at,
        resolved.prediction_class,
        {{ mlmon.nan_to_null('resolved.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('resolved.score') }} as score
        {{- mlmon.class_scores_of('resolved', clean=true) }}
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        resolved.segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__resolved_predictions') }} as resolved
    inner join stale
        on
            resolved.monitor = stale.monitor
            and resolved.model_version = stale.model_version
            and resolved.window_index = stale.window_index
    where resolved.is_counting and resolved.is_success
),

labels as {{ mlmon.inlined() }} (
    select * from {{ ref('stg_mlmon__labels') }}
    where quarantine_reason is null and has_label
),

-- One row per prediction and label of its request, with the label's age. Read twice: storing it
-- would cost more.
label_rows as {{ mlmon.inlined() }} (
    select
        predictions.*,
        labels.label_class,
        {{ mlmon.nan_to_null('labels.label_value') }} as label_value,
        labels.labeled_at,
        labels.loaded_at as label_loaded_at,
        labels.labeled_at < predictions.predicted_at as is_early,
        greatest(
            {{ mlmon.microseconds('labels.labeled_at') }}
            - {{ mlmon.microseconds('predictions.predicted_at') }},
            0
        ) as age_microseconds
    from predictions
    inner join labels
        on
            predictions.monitor = labels.monitor
            and predictions.request_id = labels.request_id
),

-- Nearly every request has one label, which needs no ranking.
repeated_labels as (
    select
        monitor,
        request_id
    from labels
    group by monitor, request_id
    having count(*) > 1
),

single_rows as (
    select
        label_rows.*,
        1 as n_labels,
        false as has_conflict,
        cast(null as bigint) as superseded_microseconds
    from label_rows
    where not exists (
        select 1 from repeated_labels
        where
            repeated_labels.monitor = label_rows.monitor
            and repeated_labels.request_id = label_rows.request_id
    )
),

-- Newest loaded_at, then newest labeled_at, then the greater label.
ranked as (
    select
        label_rows.*,
        row_number() over (
            partition by window_key, request_id
            order by
                label_loaded_at,
                labeled_at,
                label_class nulls first,
                label_value nulls first
        ) as label_rank,
        count(*) over (partition by window_key, request_id) as n_labels,
        min(coalesce(label_class, cast(label_value as {{ dbt.type_string() }})))
            over (partition by window_key, request_id)
        <> max(coalesce(label_class, cast(label_value as {{ dbt.type_string() }})))
            over (partition by window_key, request_id) as has_conflict
    from label_rows
    where exists (
        select 1 from repeated_labels
        where
            repeated_labels.monitor = label_rows.monitor
            and repeated_labels.request_id = label_rows.request_id
    )
),

-- A label no longer counts from the age at which any label of higher rank is there.
repeated_rows as (
    select
        ranked.*,
        min(age_microseconds) over (
            partition by window_key, request_id
            order by label_rank
            rows between 1 following and unbounded following
        ) as superseded_microseconds
    from ranked
),

reference_rows as (
    select
        stale.window_key,
        stale.window_index,
        stale.window_number,
        stale.monitor,
        stale.model_version,
        cast(null as {{ dbt.type_string() }}) as request_id,
        logged.predicted_at,
        logged.prediction_class,
        {{ mlmon.nan_to_null('logged.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('logged.score') }} as score,
        logged.label_class,
        {{ mlmon.nan_to_null('logged.label_value') }} as label_value,
        cast(null as timestamp) as labeled_at,
        cast(null as timestamp) as label_loaded_at,
        false as is_early,
        0 as age_microseconds,
        1 as n_labels,
        false as has_conflict,
        cast(null as bigint) as superseded_microseconds
        {{- mlmon.class_scores_of('logged', clean=true) }}
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        logged.segment_{{ number }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.reference_version = stale.reference_version
            and coalesce({{ mlmon.window_index('logged.predicted_at', 'logged.monitor') }}, -1)
            = stale.window_index
    where
        logged.label_class is not null
        or {{ mlmon.nan_to_null('logged.label_value') }} is not null
),

ranged as (
    select
        {{ mlmon.labelled_columns() }},
        n_labels,
        has_conflict,
        superseded_microseconds
    from single_rows

    union all

    select
        {{ mlmon.labelled_columns() }},
        n_labels,
        has_conflict,
        superseded_microseconds
    from repeated_rows

    union all

    select
        {{ mlmon.labelled_columns() }},
        n_labels,
        has_conflict,
        superseded_microseconds
    from reference_rows
)

select
    window_key,
    window_index,
    monitor,
    model_version,
    request_id,
    predicted_at,
    prediction_class,
    prediction_value,
    score,
    label_class,
    label_value,
    labeled_at,
    label_loaded_at,
    is_early,
    has_conflict,
    n_labels,
    cast(age_microseconds as bigint) as valid_from_microseconds,
    cast(superseded_microseconds as bigint) as valid_to_microseconds
    {{- mlmon.class_scores_of('ranged') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    {{ mlmon.resolved_segment(
        'ranged.segment_' ~ number, 'segment_' ~ number ~ '_values'
    ) }} as segment_{{ number }}
    {%- endfor %}
from ranged
{{- mlmon.segment_joins('ranged', 'ranged.window_number') }}
where superseded_microseconds is null or superseded_microseconds > age_microseconds
