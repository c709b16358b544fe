-- One row per monitor, version ('all' for all versions together), closed window and span. What is
-- not judged against a reference, such as performance and operations, is summed over these spans;
-- int_mlmon__spans has those of single versions. All spans of a window end have the same end_key.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

all_versions as (
    select
        monitor,
        window_index,
        first_index,
        span_windows,
        is_default_span,
        min(window_start) as window_start,
        min(window_end) as window_end,
        min(window_date) as window_date,
        max(n_windows) as n_windows,
        bool_or(is_judged) as is_judged
    from spans
    group by monitor, window_index, first_index, span_windows, is_default_span
),

shown as (
    select
        monitor_key,
        monitor,
        model_version,
        window_index,
        first_index,
        window_start,
        window_end,
        window_date,
        span_windows,
        is_default_span,
        n_windows,
        is_judged
    from spans

    union all

    select
        {{ mlmon.monitor_key('monitor', "'all'") }} as monitor_key,
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        first_index,
        window_start,
        window_end,
        window_date,
        span_windows,
        is_default_span,
        n_windows,
        is_judged
    from all_versions
)

select
    md5(monitor_key || '|' || cast(window_index as {{ dbt.type_string() }})) as end_key,
    shown.*
from shown
