-- One row per monitor with labels, version, closed window end, feature and method, at the longest span: how the feature
-- is associated with the label now and in the reference. A change there, while the feature itself has not drifted,
-- is what concept drift looks like.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_association_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_association_ends') }}",
) }}

with

changes as (
    select * from {{ ref('int_mlmon__association_changes') }}
),

spans as (
    select
        spans.*,
        readiness.label_age,
        readiness.label_coverage,
        readiness.expected_label_coverage,
        readiness.readiness
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__label_readiness') }} as readiness
        on
            spans.window_key = readiness.window_key
            and spans.span_windows = readiness.span_windows
    where spans.is_default_span
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

compared as (
    select
        spans.*,
        changes.column_name,
        changes.method,
        changes.is_judged_method,
        changes.n_current,
        changes.n_reference as n_in_reference,
        changes.n_labels,
        changes.n_reference_labels,
        changes.value,
        changes.reference_value,
        changes.value_change,
        changes.change_low,
        changes.change_high,
        abs(changes.corrected_change) as size,
        changes.judged_low > 0 or changes.judged_high < 0 as is_beyond_chance,
        (changes.judged_high - changes.judged_low) / 2 as margin
    from changes
    inner join spans
        on changes.window_key = spans.window_key
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
    rated.n_in_reference as n_reference,
    rated.n_current,
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
