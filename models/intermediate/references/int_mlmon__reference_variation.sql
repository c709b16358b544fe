-- One row per reference, span, segment, column and method: how much the reference varies by itself.
-- Drift thresholds are taken from it, so that a column that always varies raises no alarm. The
-- reference is cut into pieces as long as the span (n_stretches of them; 8 of seven days in 56
-- days), and each is compared with the rest. From eight pieces on the threshold is their mean and
-- three standard deviations, or what one in a hundred reaches, whichever is more.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'variations'},
    post_hook="{{ mlmon.record_windows('variations') }}",
) }}

with

window_counts as (
    select
        counts.*,
        reference_windows.is_threshold_window
    from {{ ref('int_mlmon__column_counts') }} as counts
    inner join ({{ mlmon.reference_windows() }}) as reference_windows
        on
            counts.window_key = reference_windows.window_key
            and counts.reference_key = reference_windows.reference_key
    inner join {{ ref('int_mlmon__stale_windows') }} as stale
        on
            counts.reference_key = stale.window_key
            and stale.facts = 'variations'
),

cell_counts as (
    select * from window_counts
    where column_kind = 'numeric' and cell is not null
),

columns as (
    select
        reference_facts.reference_key,
        columns.column_name,
        columns.smoothing,
        columns.missing_policy
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on reference_facts.monitor = columns.monitor
),

span_settings as (
    {{ mlmon.span_settings() }}
),

-- The spans that fit into a reference at least eight times, and how often, counted back from its
-- last window. Segments have pieces of the longest of them only, at which they are judged.
span_fits as (
    select
        reference_facts.reference_key,
        reference_facts.last_index,
        reference_facts.last_index - reference_facts.first_index + 1 as n_windows,
        spans.span_windows
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'variations'
            and stale.window_key = reference_facts.reference_key
    inner join span_settings as spans
        on reference_facts.monitor = spans.monitor
    where
        reference_facts.last_index - reference_facts.first_index + 1 >= 8 * spans.span_windows
),

stretches as (
    select
        reference_key,
        last_index,
        span_windows,
        (n_windows - mod(n_windows, span_windows)) / span_windows as n_stretches,
        span_windows = max(span_windows) over (partition by reference_key) as is_longest
    from span_fits
),

bin_stretches as (
    select
        counted.*,
        columns.smoothing,
        columns.missing_policy,
        bins.bin_kind
    from ({{ mlmon.reference_stretches('window_counts', 'bin_index', 'stretches') }}) as counted
    inner join columns
        on
            counted.reference_key = columns.reference_key
            and counted.column_name = columns.column_name
    left join {{ ref('int_mlmon__bins') }} as bins
        on
            counted.reference_key = bins.reference_key
            and counted.column_name = bins.column_name
            and counted.bin_index = bins.bin_index
),

shares as (
    {{ mlmon.shares_of_counts('bin_stretches', mlmon.stretch_keys()) }}
),

compared_shares as (
    select * from shares
    where is_compared
),

statistics as (
    {{ mlmon.binned_statistics('compared_shares', mlmon.stretch_keys()) }}
),

missing_shares as (
    select
        {{ mlmon.stretch_keys() | join(', ') }},
        abs({{ mlmon.missing_change() }}) as missing_change
    from shares
    group by {{ mlmon.stretch_keys() | join(', ') }}
),

cell_stretches as (
    {{ mlmon.reference_stretches('cell_counts', 'cell', 'stretches') }}
),

cumulated as (
    select
        cell_stretches.*,
        sum(reference_count) over (
            partition by {{ mlmon.stretch_keys() | join(', ') }} order by cell
        ) as reference_through,
        sum(current_count) over (
            partition by {{ mlmon.stretch_keys() | join(', ') }} order by cell
        ) as current_through,
        sum(reference_count) over (partition by {{ mlmon.stretch_keys() | join(', ') }})
            as reference_total,
        sum(current_count) over (partition by {{ mlmon.stretch_keys() | join(', ') }})
            as current_total
    from cell_stretches
),

-- From the counts at the cells' ends: nearer to the exact statistic than a threshold needs to be.
rank_statistics as (
    select
        {{ mlmon.stretch_keys() | join(', ') }},
        max(
            abs(
                cast(reference_through as {{ mlmon.type_double() }}) / nullif(reference_total, 0)
                - cast(current_through as {{ mlmon.type_double() }}) / nullif(current_total, 0)
            )
        ) as ks
    from cumulated
    group by {{ mlmon.stretch_keys() | join(', ') }}
),

long as (
    {%- for method in mlmon.binned_methods() %}
    select
        reference_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        cast('{{ method }}' as {{ dbt.type_string() }}) as method,
        {{ method }} as value
    from statistics

    union all
    {% endfor %}
    select
        reference_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        cast('missing_change' as {{ dbt.type_string() }}) as method,
        missing_change as value
    from missing_shares

    union all

    select
        reference_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        cast('ks' as {{ dbt.type_string() }}) as method,
        ks as value
    from rank_statistics
)

select
    reference_key,
    span_windows,
    segment_name,
    segment_value,
    column_name,
    method,
    cast(count(value) as bigint) as n_stretches,
    case
        when count(value) >= 8
            then greatest(
                avg(value) + 3 * {{ mlmon.population_stddev('value') }},
                percentile_cont(0.99) within group (order by value)
            )
    end as threshold
from long
where value is not null
group by reference_key, span_windows, segment_name, segment_value, column_name, method
