-- One row per monitor, version, closed base window, monitored column and check: missing values, values outside the
-- declared range, categories the reference does not know. Missing and unseen shares are held against the
-- reference's own, with room for chance at small counts.
{%- set limits = mlmon.quality_limits() %}

with

observed as (
    select * from {{ ref('int_mlmon__column_counts') }}
),

checks as (
    select
        observed.*,
        cast('missing' as {{ dbt.type_string() }}) as check_name,
        cast('completeness' as {{ dbt.type_string() }}) as check_group,
        n_missing as n_failed,
        reference_missing_share as allowed_share,
        cast({{ limits.missing.warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits.missing.critical }} as {{ mlmon.type_double() }}) as critical
    from observed

    union all

    select
        observed.*,
        cast('out_of_range' as {{ dbt.type_string() }}) as check_name,
        cast('validity' as {{ dbt.type_string() }}) as check_group,
        n_out_of_range as n_failed,
        0.0 as allowed_share,
        cast({{ limits.out_of_range.warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits.out_of_range.critical }} as {{ mlmon.type_double() }}) as critical
    from observed
    where has_range

    union all

    select
        observed.*,
        cast('unseen_category' as {{ dbt.type_string() }}) as check_name,
        cast('validity' as {{ dbt.type_string() }}) as check_group,
        n_unseen as n_failed,
        case when reference_missing_share is not null then 0.0 end as allowed_share,
        cast({{ limits.unseen_category.warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits.unseen_category.critical }} as {{ mlmon.type_double() }}) as critical
    from observed
    where column_kind = 'categorical'
),

shares as (
    select
        checks.*,
        cast(n_failed as {{ mlmon.type_double() }}) / nullif(n_rows, 0) as share,
        -- What chance alone would seldom exceed: three standard deviations of a count.
        3 * sqrt(n_rows * allowed_share * (1 - allowed_share) + 1) as chance_count
    from checks
)

select
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    column_key,
    column_name,
    column_role,
    column_kind,
    check_name,
    check_group,
    share as value,
    case when check_name = 'missing' then allowed_share end as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    case when allowed_share is not null then least(1.0, allowed_share + warning) end
        as expected_high,
    n_rows as n_checked,
    n_failed,
    case
        when n_rows = 0 then 'no_rows'
        when allowed_share is null then 'no_reference'
        when n_failed = 0 then 'within_limits'
        when check_name = 'out_of_range' and share > allowed_share + critical then 'above_critical'
        when check_name = 'out_of_range' and share > allowed_share + warning then 'above_warning'
        when n_failed - n_rows * allowed_share <= chance_count then 'within_limits'
        when {{ mlmon.reaches('share', 'allowed_share + critical') }} then 'above_critical'
        when {{ mlmon.reaches('share', 'allowed_share + warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code
from shares
