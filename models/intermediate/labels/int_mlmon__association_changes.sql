-- One row per touched window end, feature and method: the association with the label in the span and in the reference,
-- and the change between them with its interval, at 95 % to show and at 99.9 % to judge by. The change that the
-- intervals are about is free of each side's small-sample bias.
{{ config(materialized='view') }}

with

ends as (
    select
        spans.window_key,
        spans.monitor,
        spans.reference_key
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__touched_association_ends') }} as touched
        on spans.window_key = touched.window_key
    where spans.is_default_span
),

associations as (
    select
        associations.*,
        {%- for name, deviations in {
            'centre': none,
            'low_95': '-1.959963984540054',
            'high_95': '1.959963984540054',
            'low_999': '-3.290526731491926',
            'high_999': '3.290526731491926',
        }.items() %}
        {{ mlmon.association_at('scale', 'point', 'sd', 'curvature', deviations) }} as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_mlmon__associations') }} as associations
),

methods as (
    {{ mlmon.association_methods() }}
),

compared as (
    select
        ends.window_key,
        methods.column_name,
        methods.method,
        methods.is_judged_method,
        coalesce(of_span.n, 0) as n_current,
        coalesce(of_reference.n, 0) as n_reference,
        -- Mutual information uses every labelled row.
        max(coalesce(of_span.n, 0)) over (
            partition by ends.window_key, methods.column_name
        ) as n_labels,
        max(coalesce(of_reference.n, 0)) over (
            partition by ends.window_key, methods.column_name
        ) as n_reference_labels,
        of_span.value,
        of_reference.value as reference_value,
        {%- for name in ['low_95', 'high_95', 'low_999', 'high_999'] %}
        of_span.{{ name }} as span_{{ name }},
        of_reference.{{ name }} as base_{{ name }},
        {%- endfor %}
        of_span.centre as span,
        of_reference.centre as base
    from ends
    inner join methods
        on ends.monitor = methods.monitor
    left join associations as of_span
        on
            ends.window_key = of_span.group_key
            and methods.column_name = of_span.column_name
            and methods.method = of_span.method
    left join associations as of_reference
        on
            ends.reference_key = of_reference.group_key
            and methods.column_name = of_reference.column_name
            and methods.method = of_reference.method
)

select
    window_key,
    column_name,
    method,
    is_judged_method,
    cast(n_current as bigint) as n_current,
    cast(n_reference as bigint) as n_reference,
    n_labels,
    n_reference_labels,
    value,
    reference_value,
    value - reference_value as value_change,
    span - base as corrected_change,
    span - base - {{ mlmon.difference_margin('span', 'base', '-', '95') }} as change_low,
    span - base + {{ mlmon.difference_margin('span', 'base', '+', '95') }} as change_high,
    span - base - {{ mlmon.difference_margin('span', 'base', '-', '999') }} as judged_low,
    span - base + {{ mlmon.difference_margin('span', 'base', '+', '999') }} as judged_high
from compared
