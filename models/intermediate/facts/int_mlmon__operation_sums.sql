-- One row per window and segment: requests, errors and latency sums of its counting predictions,
-- and the latency quantiles of the window itself. Throughput, error rates and means of any span are
-- summed from it; its quantiles are exact, while those of longer spans come from
-- int_mlmon__latency_counts.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as {{ mlmon.inlined() }} (
    select * from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where not is_reference
),

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

limits as (
    select
        stale.window_number,
        settings.slo_latency_ms
    from stale
    inner join {{ ref('int_mlmon__settings') }} as settings
        on stale.monitor = settings.monitor
),

segments as (
    {{ mlmon.segment_settings() }}
),

summed as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_number,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        count(*) as n_requests,
        sum(case when is_success then 0 else 1 end) as n_errors,
        sum(case when latency_ms <= slo_latency_ms then 1 else 0 end) as n_within_slo,
        {{ mlmon.latency_sums('latency_ms') }}
    from (
        select
            predictions.window_number,
            is_success,
            limits.slo_latency_ms,
            case when latency_ms - latency_ms = 0 and latency_ms >= 0 then latency_ms end
                as latency_ms
            {%- if number %},
            segment_{{ number }}
            {%- endif %}
        from predictions
        inner join limits
            on predictions.window_number = limits.window_number
    ) as logged
    group by window_number{{ ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    summed.segment_value,
    cast(summed.n_requests as bigint) as n_requests,
    cast(summed.n_errors as bigint) as n_errors,
    cast(summed.n_latency as bigint) as n_latency,
    cast(summed.n_within_slo as bigint) as n_within_slo,
    summed.latency_sum_ms,
    summed.latency_sum_squares,
    {%- for percent in [50, 90, 95, 99] %}
    summed.{{ mlmon.quantile([50, 90, 95, 99], percent) }} as latency_p{{ percent }}_ms,
    {%- endfor %}
    summed.latency_max_ms
from summed
inner join stale
    on summed.window_number = stale.window_number
left join segments
    on
        stale.monitor = segments.monitor
        and summed.segment_position = segments.segment_position
where summed.segment_position = 0 or segments.segment_name is not null
