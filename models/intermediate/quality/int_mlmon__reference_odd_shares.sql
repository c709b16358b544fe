-- One row per reference and monitored column: the shares of its rows that the column checks count, and what they reach
-- in its own base windows (the 0.99 quantile over windows of 20 rows and more, where there are eight): a column that
-- is missing for whole days in the reference is not broken on a day it is missing.
{%- set counts = mlmon.checked_counts() %}

with

missing_bins as (
    select
        reference_key,
        column_name,
        bin_index
    from {{ ref('int_mlmon__bins') }}
    where bin_kind = 'missing'
),

-- An infinite value is neither finite nor missing.
counted as (
    select
        counts.*,
        case when missing_bins.bin_index is null then 0 else counts.n end as n_missing,
        case
            when counts.column_kind = 'numeric' and missing_bins.bin_index is null
                then counts.n - counts.n_finite
            else 0
        end as n_infinite
    from {{ ref('int_mlmon__reference_window_counts') }} as counts
    left join missing_bins
        on
            counts.reference_key = missing_bins.reference_key
            and counts.column_name = missing_bins.column_name
            and counts.bin_index = missing_bins.bin_index
    where counts.segment_name = 'all'
),

by_window as (
    select
        reference_key,
        column_name,
        window_index,
        cast(sum(n) as {{ mlmon.type_double() }}) as n_rows
        {%- for count in counts %},
        {{ 'sum(' ~ count ~ ')' if count != 'n_wrong_sums' else 'cast(null as bigint)' }}
            as {{ count }}
        {%- endfor %}
    from counted
    group by reference_key, column_name, window_index
    {%- if mlmon.is_asked_for('class_scores') %}

    union all

    select
        reference_key,
        column_name,
        window_index,
        cast(n as {{ mlmon.type_double() }}) as n_rows
        {%- for count in counts %},
        {{ count if count in mlmon.class_score_count_names() else 'cast(null as bigint)' }}
            as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__reference_class_score_counts') }}
    where n > 0
    {%- endif %}
),

whole as (
    select
        reference_key,
        column_name,
        sum(n_rows) as n_reference
        {%- for count in counts %},
        sum({{ count }}) / sum(n_rows) as {{ count[2:] }}_share
        {%- endfor %}
    from by_window
    group by reference_key, column_name
),

-- Rows of a reference table without a time are in no window.
windows as (
    select
        reference_key,
        column_name
        {%- for count in counts %},
        percentile_cont(0.99) within group (order by {{ count }} / n_rows) as {{ count[2:] }}_high
        {%- endfor %}
    from by_window
    where n_rows >= 20 and window_index >= 0
    group by reference_key, column_name
    having count(*) >= 8
)

select
    whole.reference_key,
    whole.column_name,
    whole.n_reference
    {%- for count in counts %},
    whole.{{ count[2:] }}_share as reference_{{ count[2:] }}_share,
    greatest(
        whole.{{ count[2:] }}_share,
        coalesce(windows.{{ count[2:] }}_high, whole.{{ count[2:] }}_share)
    ) as reference_{{ count[2:] }}_high
    {%- endfor %}
from whole
left join windows
    on
        whole.reference_key = windows.reference_key
        and whole.column_name = windows.column_name
