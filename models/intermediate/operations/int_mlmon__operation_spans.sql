-- One row per monitor, version ('all' for all versions together), window end and span that
-- operations are shown for: every closed span, and the open windows by themselves. Operations and
-- outcomes are summed over these.
{{ config(materialized='view') }}

with

spine as (
    select * from {{ ref('int_mlmon__spine') }}
),

closed_spans as (
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
        true as is_closed
    from {{ ref('int_mlmon__version_spans') }}
),

open_windows as (
    select
        monitor_key,
        monitor,
        model_version,
        window_index,
        window_index as first_index,
        window_start,
        window_end,
        window_date,
        1 as span_windows,
        false as is_default_span,
        false as is_closed
    from spine
    where not is_closed

    union all

    select distinct
        {{ mlmon.monitor_key('monitor', "'all'") }} as monitor_key,
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        window_index as first_index,
        window_start,
        window_end,
        window_date,
        1 as span_windows,
        false as is_default_span,
        false as is_closed
    from spine
    where not is_closed
),

spans as (
    select * from closed_spans
    union all
    select * from open_windows
)

select * from spans
