-- One row per monitor, version ('all' beside each), closed window end, span, segment, KPI and label age: the sums of its windows,
-- their mean and its variance. Segments at the longest span.
with

parts as (
    select
        spans.monitor_key,
        spans.window_index as end_index,
        spans.span_windows,
        facts.kpi,
        facts.label_age,
        facts.segment_name,
        facts.segment_value,
        facts.n,
        facts.n_missing,
        facts.value_sum,
        facts.value_mean,
        facts.deviation_squares
    from {{ ref('int_mlmon__version_spans') }} as spans
    inner join {{ ref('int_mlmon__kpi_facts') }} as facts
        on
            spans.monitor = facts.monitor
            and spans.model_version in ('all', facts.model_version)
            and facts.window_index between spans.first_index and spans.window_index
    where facts.segment_name = 'all' or spans.is_default_span
)

{{ mlmon.merged_kpi_sums('parts', [
    'monitor_key', 'end_index', 'span_windows', 'kpi', 'label_age', 'segment_name', 'segment_value',
]) }}
