-- One row per window (of the log or of a reference table), segment and label age of a regression
-- monitor: sums of errors (prediction - label), and the moments of the labels about their mean. The
-- metrics of regression that are sums are computed from it; it merges over windows whatever their
-- size. Rows whose prediction or label is missing, infinite or beyond 1e70, where fourth powers
-- overflow, are counted apart.
{{ config(
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

segments as (
    {{ mlmon.segment_settings() }}
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

labelled as (
    select
        predictions.*,
        settings.quantile,
        case when stale.is_reference then 'reference' else label_ages.label_age end as label_age,
        case
            when abs(predictions.prediction_value) < 1e70 and abs(predictions.label_value) < 1e70
                then {{ mlmon.without_underflow(
                    'predictions.prediction_value - predictions.label_value'
                ) }}
        end as error
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join stale
        on predictions.window_key = stale.window_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            predictions.monitor = settings.monitor
            and settings.task = 'regression'
    inner join label_ages
        on
            predictions.monitor = label_ages.monitor
            and {{ mlmon.counts_at_age('predictions', 'label_ages.label_age_days') }}
    -- The labels of a reference table have no age.
    where not stale.is_reference or label_ages.label_age = 'latest'
),

counted as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_key,
        {{ number }} as segment_position,
        segment_value,
        label_age,
        {{ mlmon.error_sums() }}
    from (
        select
            centred.*,
            {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
                as segment_value,
            case
                when error is not null
                    then {{ mlmon.without_underflow('label_value - label_mean') }}
            end as deviation
        from (
            select
                labelled.*,
                avg(case when error is not null then label_value end) over (
                    partition by window_key, label_age {{- ', segment_' ~ number if number }}
                ) as label_mean
            from labelled
        ) as centred
    ) as deviations
    group by window_key, segment_value, label_age
    {%- endfor %}
)

select
    stale.window_key,
    case when not stale.is_reference then stale.monitor end as monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    counted.label_age,
    {{ mlmon.error_sum_columns('counted') }}
from counted
inner join stale
    on counted.window_key = stale.window_key
left join segments
    on
        stale.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where counted.segment_position = 0 or segments.segment_name is not null
