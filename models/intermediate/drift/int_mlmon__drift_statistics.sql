-- One row per stale window end, span, segment and column: every drift statistic, and the counts
-- that its p-values are made from. The two models of p-values (int_mlmon__drift_tests_sql and the
-- Python one) read it, and fct_mlmon__drift judges it. For them test_number is the number of the
-- row, and family_number that of the features whose p-values are adjusted together (NULL for
-- columns that are tested alone). Ranked columns have ks and Wasserstein distances at the verdict
-- span, from counts of cells.
{%- set keys = mlmon.comparison_keys() %}
{%- set place = ['reference_key', 'segment_name', 'segment_value', 'column_name'] %}
{%- set greatest = '1.7976931348623157e308' %}
{%- set sums = mlmon.cell_sums() %}
{%- set counted = ['column_number', 'cell', 'x_min', 'x_max'] + sums %}

with

stale_spans as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
),

shares as (
    {{ mlmon.compared_shares('stale_spans') }}
),

compared_shares as (
    select * from shares
    where is_compared
),

-- The column's bins, and where it has rare categories its buckets by each hashing.
statistics as (
    {{ mlmon.binned_statistics('compared_shares', keys + ['hashing']) }}
),

described as (
    select
        {{ keys | join(', ') }},
        max(bin_spec_id) as bin_spec_id,
        max(smoothing) as smoothing,
        sum(reference_count) as n_reference_rows,
        sum(current_count) as n_current_rows,
        sum(case when bin_kind = 'missing' then reference_count else 0 end) as n_reference_missing,
        sum(case when bin_kind = 'missing' then current_count else 0 end) as n_current_missing,
        {{ mlmon.missing_change() }} as missing_change
    from shares
    where hashing = 0
    group by {{ keys | join(', ') }}
),

ends as (
    select
        row_number() over (order by window_key) as end_number,
        stale_spans.*
    from stale_spans
    where is_verdict and reference_key is not null
),

end_windows as (
    {{ mlmon.compared_windows('ends', ['end_number', 'reference_key']) }}
),

reference_windows as (
    {{ mlmon.fixed_reference_windows('ends') }}
),

-- All that is read: nothing, where nothing is stale.
cell_counts as (
    select
        counts.*,
        settings.methods like '%,wasserstein%' as is_transported
    from {{ ref('int_mlmon__column_counts') }} as counts
    inner join (
        select counted_key as window_key from end_windows
        union
        select window_key from reference_windows
    ) as read_windows
        on counts.window_key = read_windows.window_key
    inner join {{ ref('int_mlmon__column_settings') }} as settings
        on
            counts.monitor = settings.monitor
            and counts.column_name = settings.column_name
    where counts.cell is not null and settings.is_ranked
),

-- Columns and ends are numbered, because there are many cells and numbers join faster.
columns as (
    select
        row_number() over (order by {{ mlmon.qualified('logged', place) }}) as column_number,
        logged.*,
        edges.center,
        edges.scale
    from (
        select distinct
            {{ place | join(', ') }},
            is_transported
        from cell_counts
        where model_version is not null
    ) as logged
    inner join {{ ref('int_mlmon__bin_edges') }} as edges
        on
            logged.reference_key = edges.reference_key
            and logged.column_name = edges.column_name
            and edges.edge_index = 0
),

-- Infinite values lie in the first cell or in one above: they are the ends of what it holds.
cells as (
    select
        columns.column_number,
        {{ mlmon.qualified('counts', ['window_key', 'reference_key', 'cell'] + sums) }},
        case
            when counts.n = counts.n_finite then counts.x_min
            when counts.cell < 32 then -{{ greatest }}
            else coalesce(counts.x_min, {{ greatest }})
        end as x_min,
        case
            when counts.n = counts.n_finite then counts.x_max
            when counts.cell < 32 then coalesce(counts.x_max, -{{ greatest }})
            else {{ greatest }}
        end as x_max
    from cell_counts as counts
    inner join columns
        on
            counts.reference_key = columns.reference_key
            and counts.segment_name = columns.segment_name
            and counts.segment_value = columns.segment_value
            and counts.column_name = columns.column_name
),

reference_cells as (
    select
        {{ mlmon.qualified('cells', ['column_number', 'reference_key', 'cell']) }},
        {%- for name in sums %}
        sum(cells.{{ name }}) as {{ name }},
        {%- endfor %}
        min(cells.x_min) as x_min,
        max(cells.x_max) as x_max
    from cells
    inner join reference_windows
        on
            cells.window_key = reference_windows.window_key
            and cells.reference_key = reference_windows.reference_key
    group by cells.column_number, cells.reference_key, cells.cell
),

sides as (
    select
        end_windows.end_number,
        end_windows.is_reference,
        {{ mlmon.qualified('cells', counted) }}
    from end_windows
    inner join cells
        on
            end_windows.counted_key = cells.window_key
            and end_windows.reference_key = cells.reference_key

    union all

    select
        ends.end_number,
        true as is_reference,
        {{ mlmon.qualified('cells', counted) }}
    from ends
    inner join reference_cells as cells
        on ends.reference_key = cells.reference_key
    where ends.compared_with = 'reference'
),

distances as (
    {{ mlmon.rank_statistics('sides', 'columns') }}
),

ranks as (
    select
        ends.window_key,
        ends.span_windows,
        columns.segment_name,
        columns.segment_value,
        columns.column_name,
        distances.*
    from distances
    inner join ends
        on distances.end_number = ends.end_number
    inner join columns
        on distances.column_number = columns.column_number
)

select
    described.window_key,
    described.span_windows,
    described.segment_name,
    described.segment_value,
    described.column_name,
    described.bin_spec_id,
    described.smoothing,
    columns.column_role,
    row_number() over (
        order by
            described.window_key, described.span_windows, described.segment_name,
            described.segment_value, described.column_name
    ) as test_number,
    case
        when columns.column_role = 'feature'
            then dense_rank() over (
                order by
                    described.window_key, described.span_windows, described.segment_name,
                    described.segment_value
            )
    end as family_number,
    coalesce(statistics.n_reference, 0) as n_reference,
    coalesce(statistics.n_current, 0) as n_current,
    statistics.n_bins,
    {%- for method in mlmon.binned_methods() %}
    statistics.{{ method }},
    {%- endfor %}
    statistics.chi_square,
    cast(statistics.degrees_of_freedom as bigint) as degrees_of_freedom,
    statistics.dense_chi_square,
    statistics.pooled_chi_square,
    cast(statistics.sparse_reference as bigint) as sparse_reference,
    cast(statistics.sparse_current as bigint) as sparse_current,
    {%- for hashing in mlmon.bucket_hashings() %}
    {%- set buckets = 'buckets_' ~ hashing %}
    cast({{ buckets }}.degrees_of_freedom as bigint) as {{ buckets }}_degrees_of_freedom,
    {{ buckets }}.dense_chi_square as {{ buckets }}_dense_chi_square,
    {{ buckets }}.pooled_chi_square as {{ buckets }}_pooled_chi_square,
    cast({{ buckets }}.sparse_reference as bigint) as {{ buckets }}_sparse_reference,
    cast({{ buckets }}.sparse_current as bigint) as {{ buckets }}_sparse_current,
    {%- endfor %}
    cast(described.n_reference_rows as bigint) as n_reference_rows,
    cast(described.n_current_rows as bigint) as n_current_rows,
    cast(described.n_reference_missing as bigint) as n_reference_missing,
    cast(described.n_current_missing as bigint) as n_current_missing,
    described.missing_change,
    cast(described.n_reference_rows - described.n_reference_missing as bigint)
        as n_reference_values,
    cast(described.n_current_rows - described.n_current_missing as bigint) as n_current_values,
    {%- for method in mlmon.numeric_drift_methods() %}
    ranks.{{ method }},
    ranks.{{ method }}_error{{ ',' if not loop.last }}
    {%- endfor %}
from described
inner join stale_spans as spans
    on
        described.window_key = spans.window_key
        and described.span_windows = spans.span_windows
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        spans.monitor = columns.monitor
        and described.column_name = columns.column_name
left join statistics
    on
        statistics.hashing = 0
        and {{ mlmon.same_comparison('described', 'statistics') }}
left join ranks
    on
        {{ mlmon.same_comparison('described', 'ranks') }}
        -- A window that left the log before its column was ranked has no cells.
        and described.n_reference_rows - described.n_reference_missing = ranks.n_reference
        and described.n_current_rows - described.n_current_missing = ranks.n_current
{%- for hashing in mlmon.bucket_hashings() %}
left join statistics as buckets_{{ hashing }}
    on
        buckets_{{ hashing }}.hashing = {{ hashing }}
        and buckets_{{ hashing }}.is_defined
        and {{ mlmon.same_comparison('described', 'buckets_' ~ hashing) }}
{%- endfor %}
