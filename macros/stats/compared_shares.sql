{#
    SQL: one row per span of `spans` (int_mlmon__spans), segment, column, hashing and bin that is filled on either side:
    the counts and shares of the span and of its reference under the column's policies. All drift statistics of bins
    come from it. Hashing 0 are the column's bins. Rare categories also share buckets by two hashings of their names
    (macros/stats/buckets.sql): hashings 1 and 2, where the bin is a bucket. Segments are compared with the same segment
    of the reference, at the verdict span. Where the column has `missing: drop`, the bin of missing values takes no part
    (is_compared false).

    of_whole: only the bins of the whole monitor, without segments and hashings.
#}
{% macro compared_shares(spans, of_whole=false) %}
    {%- set keys = mlmon.comparison_keys() + ['hashing'] %}
    {%- set place = ['segment_name', 'segment_value', 'column_name', 'hashing', 'bin_index'] %}

    with

    counted_windows as (
        {{ mlmon.compared_windows(spans, ['window_key', 'span_windows', 'is_verdict']) }}
    ),

    reference_windows as (
        {{ mlmon.fixed_reference_windows(spans) }}
    ),

    -- All that is read: nothing, where nothing is stale.
    cells as (
        select
            counts.window_key,
            counts.reference_key,
            counts.segment_name,
            counts.segment_value,
            counts.column_name,
            counts.column_kind,
            counts.bin_index,
            counts.cell,
            counts.n
        from {{ ref('mlmon', 'int_mlmon__column_counts') }} as counts
        inner join (
            select counted_key as window_key from counted_windows
            union
            select window_key from reference_windows
        ) as read_windows
            on counts.window_key = read_windows.window_key
        {%- if of_whole %}
        where counts.segment_name = 'all'
        {%- endif %}
    ),

    counts as (
        select
            window_key,
            reference_key,
            segment_name,
            segment_value,
            column_name,
            0 as hashing,
            bin_index,
            sum(n) as n
        from cells
        group by window_key, reference_key, segment_name, segment_value, column_name, bin_index
        {%- for hashing in mlmon.bucket_hashings() if not of_whole %}

        union all

        select
            window_key,
            reference_key,
            segment_name,
            segment_value,
            column_name,
            {{ hashing }} as hashing,
            {{ mlmon.bucket_of('cell', hashing) }} as bin_index,
            sum(n) as n
        from cells
        where column_kind = 'categorical' and cell is not null
        group by
            window_key, reference_key, segment_name, segment_value, column_name,
            {{ mlmon.bucket_of('cell', hashing) }}
        {%- endfor %}
    ),

    span_counts as (
        select
            counted_windows.window_key,
            counted_windows.span_windows,
            counted_windows.is_reference,
            {{ mlmon.qualified('counts', place) }},
            sum(counts.n) as n
        from counted_windows
        inner join counts
            on counted_windows.counted_key = counts.window_key
        {%- if not of_whole %}
        where counts.segment_name = 'all' or counted_windows.is_verdict
        {%- endif %}
        group by
            counted_windows.window_key, counted_windows.span_windows, counted_windows.is_reference,
            {{ mlmon.qualified('counts', place) }}
    ),

    -- What is compared with the reference: the whole monitor, and every segment with rows in the span.
    compared as (
        select
            window_key,
            span_windows,
            cast('all' as {{ dbt.type_string() }}) as segment_name,
            cast('all' as {{ dbt.type_string() }}) as segment_value
        from {{ spans }}

        union all

        select distinct
            window_key,
            span_windows,
            segment_name,
            segment_value
        from span_counts
        where not is_reference and segment_name <> 'all'
    ),

    reference_counts as (
        select
            counts.reference_key,
            {{ mlmon.qualified('counts', place) }},
            sum(counts.n) as n
        from reference_windows
        inner join counts
            on
                reference_windows.window_key = counts.window_key
                and reference_windows.reference_key = counts.reference_key
        group by counts.reference_key, {{ mlmon.qualified('counts', place) }}
    ),

    both_sides as (
        select
            window_key,
            span_windows,
            {{ place | join(', ') }},
            case when is_reference then n else 0 end as reference_count,
            case when is_reference then 0 else n end as current_count
        from span_counts

        union all

        select
            spans.window_key,
            spans.span_windows,
            {{ mlmon.qualified('reference_counts', place) }},
            reference_counts.n as reference_count,
            0 as current_count
        from {{ spans }} as spans
        inner join reference_counts
            on spans.reference_key = reference_counts.reference_key
        where spans.compared_with = 'reference'
    ),

    counted as (
        select
            both_sides.window_key,
            both_sides.span_windows,
            {{ mlmon.qualified('both_sides', place) }},
            cast(sum(both_sides.reference_count) as bigint) as reference_count,
            cast(sum(both_sides.current_count) as bigint) as current_count
        from both_sides
        inner join compared
            on
                both_sides.window_key = compared.window_key
                and both_sides.span_windows = compared.span_windows
                and both_sides.segment_name = compared.segment_name
                and both_sides.segment_value = compared.segment_value
        group by
            both_sides.window_key, both_sides.span_windows, {{ mlmon.qualified('both_sides', place) }}
    ),

    described as (
        select
            counted.window_key,
            counted.span_windows,
            {{ mlmon.qualified('counted', place) }},
            bins.bin_spec_id,
            case
                when counted.hashing = 0 then bins.bin_kind
                when counted.bin_index = -1 then 'missing'
                else 'bucket'
            end as bin_kind,
            bins.bin_label,
            bins.bin_lower,
            bins.bin_upper,
            columns.smoothing,
            columns.missing_policy,
            counted.reference_count,
            counted.current_count
        from counted
        inner join {{ spans }} as spans
            on
                counted.window_key = spans.window_key
                and counted.span_windows = spans.span_windows
        inner join {{ ref('mlmon', 'int_mlmon__column_settings') }} as columns
            on
                spans.monitor = columns.monitor
                and counted.column_name = columns.column_name
        left join {{ ref('mlmon', 'int_mlmon__bins') }} as bins
            on
                spans.reference_key = bins.reference_key
                and counted.column_name = bins.column_name
                and counted.bin_index = bins.bin_index
                and counted.hashing = 0
    ),

    shares as (
        {{ mlmon.shares_of_counts('described', keys) }}
    )

    select
        {{ keys | join(', ') }},
        bin_index,
        bin_spec_id,
        bin_kind,
        bin_label,
        bin_lower,
        bin_upper,
        smoothing,
        is_compared,
        reference_count,
        current_count,
        n_reference,
        n_current,
        p,
        q,
        psi_contribution
    from shares
{% endmacro %}
