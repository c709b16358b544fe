{#
    The counts of each stretch of a reference beside those of its rest, over everything that is counted in `counts` (a
    relation by reference, window, is_threshold_window, segment and column) by `item` (bins or cells). `stretches` says which spans a
    reference is cut by.
#}
{% macro reference_stretches(counts, item, stretches) %}
    select
        compared.reference_key,
        compared.span_windows,
        compared.stretch,
        compared.segment_name,
        compared.segment_value,
        compared.column_name,
        totals.{{ item }},
        totals.n - coalesce(stretch_counts.n, 0) as reference_count,
        coalesce(stretch_counts.n, 0) as current_count
    from (
        select distinct
            reference_key,
            span_windows,
            stretch,
            segment_name,
            segment_value,
            column_name
        from ({{ mlmon.counts_by_stretch(counts, item, stretches) }}) as counted
    ) as compared
    inner join (
        select
            reference_key,
            segment_name,
            segment_value,
            column_name,
            {{ item }},
            sum(n) as n
        from {{ counts }}
        group by reference_key, segment_name, segment_value, column_name, {{ item }}
    ) as totals
        on
            compared.reference_key = totals.reference_key
            and compared.segment_name = totals.segment_name
            and compared.segment_value = totals.segment_value
            and compared.column_name = totals.column_name
    left join ({{ mlmon.counts_by_stretch(counts, item, stretches) }}) as stretch_counts
        on
            compared.reference_key = stretch_counts.reference_key
            and compared.span_windows = stretch_counts.span_windows
            and compared.stretch = stretch_counts.stretch
            and compared.segment_name = stretch_counts.segment_name
            and compared.segment_value = stretch_counts.segment_value
            and compared.column_name = stretch_counts.column_name
            and totals.{{ item }} = stretch_counts.{{ item }}
{% endmacro %}

{% macro counts_by_stretch(counts, item, stretches) %}
    {%- set behind = "(stretches.last_index - counts.window_index)" -%}
    {%- set stretch = "(" ~ behind ~ " - mod(" ~ behind ~ ", stretches.span_windows)) / stretches.span_windows" %}
    select
        counts.reference_key,
        stretches.span_windows,
        {{ stretch }} as stretch,
        counts.segment_name,
        counts.segment_value,
        counts.column_name,
        counts.{{ item }},
        sum(counts.n) as n
    from {{ counts }} as counts
    inner join {{ stretches }} as stretches
        on counts.reference_key = stretches.reference_key
    where
        counts.is_threshold_window
        and {{ stretch }} < stretches.n_stretches
        and (counts.segment_name = 'all' or stretches.is_longest)
    group by
        counts.reference_key, stretches.span_windows, {{ stretch }}, counts.segment_name,
        counts.segment_value, counts.column_name, counts.{{ item }}
{% endmacro %}

{% macro stretch_keys() %}
    {{- return([
        'reference_key', 'span_windows', 'stretch', 'segment_name', 'segment_value', 'column_name',
    ]) -}}
{% endmacro %}
