-- One row per monitor, version, closed base window, monitored column and check of its values. Shares are held
-- against the reference's own, and what they reach in its windows, with room for chance at small counts: a column that
-- was 16 % missing in the reference is not broken at 16 %.
{%- set limits = mlmon.quality_limits() %}
{%- set strict_names = mlmon.strict_checks() | join("', '") %}
{%- set strict = "allowed_share = 0 and check_name in ('" ~ strict_names ~ "')" %}

with

observed as (
    select * from {{ ref('int_mlmon__column_counts') }}
),

checks as (
    {%- for check, rule in mlmon.column_check_rules().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        observed.*,
        cast('{{ check }}' as {{ dbt.type_string() }}) as check_name,
        cast('{{ rule.group }}' as {{ dbt.type_string() }}) as check_group,
        {{ rule.failed }} as n_failed,
        cast({{ rule.reference }} as {{ mlmon.type_double() }}) as reference_share,
        cast({{ rule.allowed }} as {{ mlmon.type_double() }}) as allowed_share,
        cast({{ limits[check].warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits[check].critical }} as {{ mlmon.type_double() }}) as critical,
        cast({{ rule.range[0] }} as {{ mlmon.type_double() }}) as range_low,
        cast({{ rule.range[1] }} as {{ mlmon.type_double() }}) as range_high
    from observed
    where {{ rule.where }}
    {%- endfor %}
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
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    column_name,
    column_role,
    column_kind,
    check_name,
    check_group,
    share as value,
    case when check_name <> 'out_of_range' then reference_share end as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    case when allowed_share is not null then least(1.0, allowed_share + warning) end
        as expected_high,
    n_rows as n_checked,
    n_failed,
    case
        when n_rows = 0 then 'no_rows'
        when allowed_share is null then 'no_reference'
        when n_failed = 0 then 'within_limits'
        when {{ strict }} and share > allowed_share + critical then 'above_critical'
        when {{ strict }} and share > allowed_share + warning then 'above_warning'
        when n_failed - n_rows * allowed_share <= chance_count then 'within_limits'
        -- Of a column that the log may lose, values may go.
        when
            {{ mlmon.reaches('share', 'allowed_share + critical') }}
            and (is_required or check_name <> 'missing')
            then 'above_critical'
        when {{ mlmon.reaches('share', 'allowed_share + warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code,
    {{ mlmon.range_text('range_low', 'range_high') }} as found
from shares
