-- One row per monitor, judged metric and span: the thresholds that hold. Of the seed's rows that match, the one with
-- the most exact matches wins.
{{ config(materialized='view') }}

with

judged_metrics as (
    {{ mlmon.judged_metric_settings() }}
),

thresholds as (
    select * from {{ mlmon.seed_relation('degradation_thresholds') }}
),

matched_thresholds as (
    select
        settings.monitor,
        settings.metric,
        settings.span_windows,
        {{ mlmon.try_double('thresholds.warning') }} as warning,
        {{ mlmon.try_double('thresholds.critical') }} as critical,
        row_number() over (
            partition by settings.monitor, settings.metric, settings.span_windows
            order by
                case when thresholds.monitor = '*' then 0 else 4 end
                + case when thresholds.metric = '*' then 0 else 2 end
                + case when cast(thresholds.span_windows as {{ dbt.type_string() }}) = '*'
                    then 0 else 1 end desc,
                {{ mlmon.try_double('thresholds.warning') }} nulls last
        ) as match_rank
    from (
        select
            judged_metrics.monitor,
            judged_metrics.metric,
            configured.span_windows
        from judged_metrics
        inner join ({{ mlmon.span_settings() }}) as configured
            on judged_metrics.monitor = configured.monitor
    ) as settings
    inner join thresholds
        on
            thresholds.monitor in ('*', settings.monitor)
            and thresholds.metric in ('*', settings.metric)
            and cast(thresholds.span_windows as {{ dbt.type_string() }}) in (
                '*', cast(settings.span_windows as {{ dbt.type_string() }})
            )
)

select
    monitor,
    metric,
    span_windows,
    warning,
    critical
from matched_thresholds
where match_rank = 1
