-- One row per monitor, version, closed base window, segment, column and check: the verdict on
-- the logs themselves. Checks on the logs as a whole have the column 'all' and the
-- model_version 'all'.
with

checks as (
    {%- for kind in ['column', 'usual', 'log', 'volume', 'schema'] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor_key,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        segment_name,
        segment_value,
        column_name,
        column_role,
        column_kind,
        check_name,
        check_group,
        value,
        reference_value,
        expected_low,
        expected_high,
        n_checked,
        n_failed,
        reason_code,
        found
    from {{ ref('int_mlmon__' ~ kind ~ '_checks') }}
    {%- if kind == 'column' %}
    -- The others of its rows are those of int_mlmon__usual_checks.
    where reason_code is not null
    {%- endif %}
    {%- endfor %}
),

rated as (
    select
        checks.*,
        case
            when reason_code in (
                'above_critical', 'no_rows_at_all', 'required_column_missing',
                'classes_never_match'
            ) then 'critical'
            when reason_code in (
                'above_warning', 'optional_column_missing', 'differs_from_reference',
                'column_vanished', 'column_type_changed'
            ) then 'warning'
            when reason_code = 'not_logged' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code in ('no_rows', 'no_labels', 'short_history')
                then 'insufficient_data'
            else 'ok'
        end as status
    from checks
)

select
    rated.monitor_key,
    rated.monitor,
    rated.model_version,
    rated.window_start,
    rated.window_end,
    rated.window_date,
    cast(1 as integer) as span_windows,
    rated.segment_name,
    rated.segment_value,
    {{ mlmon.column_key('rated.monitor', 'rated.column_role', 'rated.column_name') }}
        as column_key,
    rated.column_name,
    rated.column_role,
    rated.column_kind,
    rated.check_name,
    rated.check_group,
    rated.value,
    rated.reference_value,
    rated.expected_low,
    rated.expected_high,
    cast(rated.n_checked as bigint) as n_checked,
    cast(rated.n_failed as bigint) as n_failed,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.quality_reason('rated') }} as reason
from rated
