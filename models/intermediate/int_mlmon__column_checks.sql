-- One row per monitor, version, closed base window, monitored column and check: missing values, values outside the
-- declared range, categories the reference does not know. Missing and unseen shares are held against the
-- reference's own, with room for chance at small counts.
{%- set limits = mlmon.quality_limits() %}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

bin_kinds as (
    select
        reference_key,
        column_name,
        bin_index,
        bin_kind
    from {{ ref('int_mlmon__bins') }}
    where bin_kind in ('missing', 'unseen')
),

current_counts as (
    select
        counts.window_key,
        counts.column_name,
        sum(counts.n) as n_rows,
        sum(case when bin_kinds.bin_kind = 'unseen' then counts.n else 0 end) as n_unseen
    from {{ ref('int_mlmon__bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.window_key, counts.column_name
),

reference_shares as (
    select
        counts.reference_key,
        counts.column_name,
        sum(case when bin_kinds.bin_kind = 'missing' then counts.n else 0 end)
        / nullif(cast(sum(counts.n) as {{ mlmon.type_double() }}), 0) as missing_share
    from {{ ref('int_mlmon__reference_bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.reference_key, counts.column_name
),

observed as (
    select
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_index,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.reference_key,
        columns.column_key,
        columns.column_name,
        columns.column_role,
        columns.column_kind,
        columns.declared_min is not null or columns.declared_max is not null as has_range,
        current_counts.n_rows,
        profiles.n_missing,
        profiles.n_out_of_range,
        current_counts.n_unseen,
        reference_shares.missing_share as reference_missing_share
    from spans
    inner join current_counts
        on spans.window_key = current_counts.window_key
    inner join columns
        on
            spans.monitor = columns.monitor
            and current_counts.column_name = columns.column_name
    inner join {{ ref('int_mlmon__column_profiles') }} as profiles
        on
            spans.window_key = profiles.window_key
            and columns.column_name = profiles.column_name
    left join reference_shares
        on
            spans.reference_key = reference_shares.reference_key
            and columns.column_name = reference_shares.column_name
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
