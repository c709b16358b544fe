-- One row per monitor, version, closed base window, monitored column and check of its values.
-- fct_mlmon__quality_checks shows them with their verdicts. Shares are compared with the
-- reference's own, and with what they reach in its windows, with room for chance at small counts: a
-- column that was 16 % missing in the reference is not broken at 16 %. A check that is also
-- compared with what is usual for the log has no reason_code here: int_mlmon__usual_checks gives it
-- one.
{%- set limits = mlmon.quality_limits() %}
{%- set counts = mlmon.checked_counts() %}
{%- set text = dbt.type_string() %}
{%- set double = mlmon.type_double() %}
{%- set rules = mlmon.column_check_rules() %}
{%- set range_rules = mlmon.range_check_rules() %}
{%- set strict_names = mlmon.strict_checks() | join("', '") %}
{%- set strict = "allowed_share = 0 and check_name in ('" ~ strict_names ~ "')" %}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),
{%- if mlmon.is_asked_for('class_scores') %}

score_columns as (
    {{ mlmon.class_score_column_settings() }}
),
{%- endif %}

fences as (
    select
        reference_key,
        column_name,
        inner_low,
        inner_high,
        outer_low,
        outer_high
    from {{ ref('int_mlmon__bin_edges') }}
    where edge_index = 0
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

-- How many rows of a window hold what the checks count; NULL where a column has no such
-- check. An infinite value is neither finite nor missing.
bin_sums as (
    select
        counts.window_key,
        counts.monitor,
        counts.reference_key,
        counts.column_name,
        sum(counts.n) as n_rows,
        sum(counts.n_missing) as n_missing,
        sum(
            case
                when counts.column_kind = 'numeric'
                    then counts.n - counts.n_missing - counts.n_finite
            end
        ) as n_infinite,
        sum(case when bin_kinds.bin_kind = 'unseen' then counts.n else 0 end) as n_unseen
        {%- for count in mlmon.failed_counts() %},
        sum(counts.{{ count }}) as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__column_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.window_key, counts.monitor, counts.reference_key, counts.column_name
),

window_counts as (
    select
        bin_sums.window_key,
        columns.column_name,
        columns.column_role,
        columns.column_kind,
        columns.declared_min,
        columns.declared_max,
        columns.is_required,
        bin_sums.n_rows,
        bin_sums.n_unseen
        {%- for count in counts %},
        {{ 'bin_sums.' ~ count if count != 'n_wrong_sums' else 'cast(null as bigint)' }}
            as {{ count }}
        {%- endfor %}
    from bin_sums
    inner join columns
        on
            bin_sums.monitor = columns.monitor
            and bin_sums.column_name = columns.column_name
    {%- if mlmon.is_asked_for('class_scores') %}

    union all

    select
        counted.window_key,
        score_columns.column_name,
        cast('score' as {{ text }}) as column_role,
        cast('numeric' as {{ text }}) as column_kind,
        score_columns.declared_min,
        score_columns.declared_max,
        true as is_required,
        counted.n as n_rows,
        0 as n_unseen
        {%- for count in counts %},
        {{ 'counted.' ~ count if count in mlmon.class_score_count_names()
            else 'cast(null as bigint)' }} as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__class_score_counts') }} as counted
    inner join score_columns
        on
            counted.monitor = score_columns.monitor
            and counted.column_name = score_columns.column_name
    {%- endif %}
),

lookalikes as (
    select
        window_key,
        column_name,
        max(n_in_all) as n_lookalikes
    from {{ ref('int_mlmon__check_examples') }}
    where check_name = 'lookalike_category'
    group by window_key, column_name
),

reference_counts as (
    select
        reference_windows.reference_key,
        bin_sums.column_name,
        reference_windows.window_index,
        reference_windows.is_threshold_window,
        cast(sum(bin_sums.n_rows) as {{ double }}) as n_rows
        {%- for count in counts %},
        {{ 'sum(bin_sums.' ~ count ~ ')' if count != 'n_wrong_sums' else 'cast(null as bigint)' }}
            as {{ count }}
        {%- endfor %}
    from bin_sums
    inner join ({{ mlmon.reference_windows() }}) as reference_windows
        on
            bin_sums.window_key = reference_windows.window_key
            and bin_sums.reference_key = reference_windows.reference_key
    group by
        reference_windows.reference_key, bin_sums.column_name,
        reference_windows.window_index, reference_windows.is_threshold_window
    {%- if mlmon.is_asked_for('class_scores') %}

    union all

    select
        reference_windows.reference_key,
        counted.column_name,
        reference_windows.window_index,
        reference_windows.is_threshold_window,
        cast(sum(counted.n) as {{ double }}) as n_rows
        {%- for count in counts %},
        {{ 'sum(counted.' ~ count ~ ')' if count in mlmon.class_score_count_names()
            else 'cast(null as bigint)' }} as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__class_score_counts') }} as counted
    inner join ({{ mlmon.reference_windows() }}) as reference_windows
        on counted.window_key = reference_windows.window_key
    where counted.n > 0
    group by
        reference_windows.reference_key, counted.column_name,
        reference_windows.window_index, reference_windows.is_threshold_window
    {%- endif %}
),

reference_shares as (
    select
        reference_key,
        column_name,
        sum(n_rows) as n_reference
        {%- for count in counts %},
        sum({{ count }}) / sum(n_rows) as {{ count[2:] }}_share
        {%- endfor %}
    from reference_counts
    group by reference_key, column_name
),

-- What the shares reach in the reference's own base windows (the 0.99 quantile over windows
-- of 20 rows and more, where there are eight): a column that is missing for whole days in
-- the reference is not broken on a day it is missing. Rows of a reference table without a
-- time are in no window.
reference_highs as (
    select
        reference_key,
        column_name
        {%- for count in counts %},
        percentile_cont(0.99) within group (order by {{ count }} / n_rows)
            as {{ count[2:] }}_high
        {%- endfor %}
    from reference_counts
    where n_rows >= 20 and is_threshold_window
    group by reference_key, column_name
    having count(*) >= 8
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
        counted.*,
        fences.inner_low,
        fences.inner_high,
        fences.outer_low,
        fences.outer_high,
        coalesce(lookalikes.n_lookalikes, 0) as n_lookalikes,
        shares.n_reference
        {%- for count in counts %},
        shares.{{ count[2:] }}_share as reference_{{ count[2:] }}_share,
        greatest(
            shares.{{ count[2:] }}_share,
            coalesce(highs.{{ count[2:] }}_high, shares.{{ count[2:] }}_share)
        ) as reference_{{ count[2:] }}_high
        {%- endfor %}
    from spans
    inner join window_counts as counted
        on spans.window_key = counted.window_key
    left join reference_shares as shares
        on
            spans.reference_key = shares.reference_key
            and counted.column_name = shares.column_name
    left join reference_highs as highs
        on
            spans.reference_key = highs.reference_key
            and counted.column_name = highs.column_name
    left join fences
        on
            spans.reference_key = fences.reference_key
            and counted.column_name = fences.column_name
    left join lookalikes
        on
            spans.window_key = lookalikes.window_key
            and counted.column_name = lookalikes.column_name
),

checks as (
    {%- for check, rule in (rules | items | list) + (range_rules | items | list) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        observed.*,
        cast('{{ check }}' as {{ text }}) as check_name,
        cast('{{ rule.group }}' as {{ text }}) as check_group,
        {{ rule.failed }} as n_failed,
        cast({{ rule.reference }} as {{ double }}) as reference_share,
        cast({{ rule.allowed }} as {{ double }}) as allowed_share,
        cast({{ limits[check].warning }} as {{ double }}) as warning,
        cast({{ limits[check].critical }} as {{ double }}) as critical,
        cast({{ rule.range[0] }} as {{ double }}) as range_low,
        cast({{ rule.range[1] }} as {{ double }}) as range_high,
        {{ 'true' if check in range_rules else 'false' }} as is_range_check
    from observed
    where {{ rule.where }}
    {%- endfor %}
),

shares as (
    select
        checks.*,
        cast(n_failed as {{ double }}) / nullif(n_rows, 0) as share,
        -- What chance alone would seldom exceed: three standard deviations of a count.
        3 * sqrt(n_rows * allowed_share * (1 - allowed_share) + 1) as chance_count
    from checks
)

select
    monitor_key,
    monitor,
    model_version,
    window_index,
    window_start,
    window_end,
    window_date,
    cast('all' as {{ text }}) as segment_name,
    cast('all' as {{ text }}) as segment_value,
    column_name,
    column_role,
    column_kind,
    check_name,
    check_group,
    share as value,
    case when check_name <> 'out_of_range' then reference_share end as reference_value,
    allowed_share,
    cast(null as {{ double }}) as expected_low,
    case when allowed_share is not null then least(1.0, allowed_share + warning) end
        as expected_high,
    n_rows as n_checked,
    n_failed,
    case
        when is_range_check then null
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
