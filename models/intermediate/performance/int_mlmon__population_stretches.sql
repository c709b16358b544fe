-- One row per touched window end and span, and per touched reference: whose labelled predictions are taken together.
with

touched as (
    select * from {{ ref('int_mlmon__touched_performance_ends') }}
    where monitor is not null
),

stretches as (
    select
        touched.window_key,
        touched.monitor,
        spans.monitor_key,
        spans.model_version,
        spans.window_index,
        spans.first_index,
        spans.window_index as last_index,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        spans.is_default_span,
        spans.is_judged,
        cast(null as {{ dbt.type_string() }}) as reference_key,
        cast(null as {{ dbt.type_string() }}) as reference_kind
    from touched
    inner join {{ ref('int_mlmon__version_spans') }} as spans
        on
            touched.monitor_key = spans.monitor_key
            and touched.window_index = spans.window_index

    union all

    select
        touched.window_key,
        touched.monitor,
        touched.monitor_key,
        reference_facts.logged_version as model_version,
        touched.window_index,
        reference_facts.first_index,
        reference_facts.last_index,
        reference_facts.reference_start_at as window_start,
        reference_facts.reference_end_at as window_end,
        cast(null as date) as window_date,
        cast(null as bigint) as span_windows,
        true as is_default_span,
        true as is_judged,
        reference_facts.reference_key,
        reference_facts.reference_kind
    from touched
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on touched.window_key = reference_facts.reference_key
)

select
    row_number() over (order by window_key, span_windows) as stretch_number,
    stretches.*
from stretches
