-- One row per monitor with labels, version, closed window end, feature and method, at the longest
-- span: how the feature is associated with the label now and in the reference. A change there,
-- while the feature itself has not drifted, is what concept drift looks like.
{{ config(
    enabled=mlmon.is_asked_for('association'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__stale_association_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__stale_association_ends') }}",
) }}

with

spans as (
    select
        spans.*,
        covered.label_age,
        covered.label_coverage,
        covered.expected_label_coverage,
        covered.readiness
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_association_ends') }} as stale
        on spans.window_key = stale.window_key
    inner join {{ ref('int_mlmon__span_coverage') }} as covered
        on
            spans.monitor_key = covered.monitor_key
            and spans.window_index = covered.window_index
            and spans.span_windows = covered.span_windows
            and covered.is_horizon
            and covered.segment_name = 'all'
    where spans.is_default_span
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

-- The intervals of the change are free of the small-sample bias of both sides: at 95 % to show, at
-- 99.9 % to judge by.
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

sides as (
    select
        spans.*,
        methods.column_name,
        methods.method,
        methods.is_judged_method,
        coalesce(of_span.n, 0) as n_current,
        coalesce(of_reference.n, 0) as n_in_reference,
        -- Mutual information uses every labelled row.
        max(coalesce(of_span.n, 0)) over (
            partition by spans.window_key, methods.column_name
        ) as n_labels,
        max(coalesce(of_reference.n, 0)) over (
            partition by spans.window_key, methods.column_name
        ) as n_reference_labels,
        of_span.value,
        of_reference.value as reference_value,
        {%- for name in ['low_95', 'high_95', 'low_999', 'high_999'] %}
        of_span.{{ name }} as centre_{{ name }},
        of_reference.{{ name }} as base_{{ name }},
        {%- endfor %}
        of_span.centre,
        of_reference.centre as base
    from spans
    inner join methods
        on spans.monitor = methods.monitor
    left join associations as of_span
        on
            spans.window_key = of_span.group_key
            and methods.column_name = of_span.column_name
            and methods.method = of_span.method
    left join associations as of_reference
        on
            spans.reference_key = of_reference.group_key
            and methods.column_name = of_reference.column_name
            and methods.method = of_reference.method
),

changes as (
    select
        sides.*,
        value - reference_value as value_change,
        centre - base as corrected_change,
        centre - base - {{ mlmon.difference_margin('centre', 'base', '-', '95') }} as change_low,
        centre - base + {{ mlmon.difference_margin('centre', 'base', '+', '95') }} as change_high,
        centre - base - {{ mlmon.difference_margin('centre', 'base', '-', '999') }} as judged_low,
        centre - base + {{ mlmon.difference_margin('centre', 'base', '+', '999') }} as judged_high
    from sides
),

compared as (
    select
        changes.*,
        abs(corrected_change) as size,
        judged_low > 0 or judged_high < 0 as is_beyond_chance,
        (judged_high - judged_low) / 2 as margin
    from changes
),

judged as (
    select
        compared.*,
        case
            when not is_judged_method then 'not_deciding'
            when n_reference_labels = 0 then 'no_reference'
            when readiness <> 'ready' then readiness
            when not is_judged then 'short_span'
            when n_labels = 0 then 'no_labels'
            when value is null or reference_value is null or margin is null then 'undefined'
            when least(n_current, n_in_reference) < 30 then 'sample_too_small'
            when {{ mlmon.reaches('size', '0.2') }} and is_beyond_chance
                then 'above_critical'
            when {{ mlmon.reaches('size', '0.1') }} and is_beyond_chance
                then 'above_warning'
            when margin > 0.1 * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('abs(value_change)', '0.1') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_deciding' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            when reason_code in ('could_be_chance', 'within_threshold') then 'ok'
            else 'insufficient_data'
        end as status
    from judged
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    columns.column_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    rated.method,
    rated.label_age,
    rated.value,
    rated.reference_value,
    rated.value_change,
    rated.change_low,
    rated.change_high,
    cast(rated.n_in_reference as bigint) as n_reference,
    cast(rated.n_current as bigint) as n_current,
    rated.fixed_reference_hash as reference_hash,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.association_reason('rated') }} as reason
from rated
inner join columns
    on
        rated.monitor = columns.monitor
        and rated.column_name = columns.column_name
