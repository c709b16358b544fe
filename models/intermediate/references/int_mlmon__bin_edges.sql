-- One row per reference, numeric column and edge between its bins; edge_index 0 holds no edge but
-- only the column's bin specification. All counts of numeric columns use these edges, which come
-- from the reference alone (docs/numbers.md, "Bins"). A label that is a number has edges, too, in
-- the slot label_value; without labels in the reference it has only edge_index 0. The bin
-- specification has the edges of the column's cells, too, as a list (macros/stats/cells.sql).
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

{%- set percents = [0.1, 25, 50, 75, 99.9] %}
{%- set n_slots = mlmon.monitored_slots('numeric') | length + 1 %}

with

reference_rows as (
    {{ mlmon.stale_reference_rows(mlmon.monitored_slots('numeric') + ['label_value']) }}
),

-- A whole number stands for the reference and its column: as texts they would be most of what is
-- held while millions of values are ranked.
reference_values as (
    {%- for number, slot in mlmon.numbered_slots('numeric').items() %}
    select
        edge_set_number * {{ n_slots }} + {{ number }} as edge_number,
        {{ slot }} as x
    from reference_rows
    where {{ slot }} is not null

    union all
    {% endfor %}
    select
        edge_set_number * {{ n_slots }} as edge_number,
        label_value as x
    from reference_rows
    where label_value is not null
),

columns as (
    select
        monitor,
        column_name,
        slot,
        {{ mlmon.slot_number('slot', mlmon.numbered_slots('numeric')) }} as slot_number,
        bin_policy,
        n_bins_asked
    from {{ ref('int_mlmon__column_settings') }}
    where column_kind = 'numeric'

    union all

    select
        monitor,
        cast('label' as {{ dbt.type_string() }}) as column_name,
        cast('label_value' as {{ dbt.type_string() }}) as slot,
        cast(0 as bigint) as slot_number,
        case when task = 'ranking' then 'relevance' else 'quantile' end as bin_policy,
        {{ mlmon.label_bin_count() }} as n_bins_asked
    from ({{ mlmon.label_settings() }}) as labels
    where label_kind = 'numeric'
),

specs as (
    select
        reference_facts.reference_key,
        reference_facts.reference_hash,
        reference_facts.edge_set_number * {{ n_slots }} + columns.slot_number as edge_number,
        columns.monitor,
        columns.column_name,
        columns.slot,
        columns.bin_policy,
        columns.n_bins_asked
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'references'
            and stale.window_key = reference_facts.reference_key
    inner join columns
        on reference_facts.monitor = columns.monitor
),

ranked_values as (
    select
        edge_number,
        x,
        row_number() over (partition by edge_number order by x) as value_rank,
        -- Its maximum is how many different values there are. Counting them with a set of all takes
        -- half a gigabyte for a million.
        dense_rank() over (partition by edge_number order by x) as distinct_rank
    from reference_values
),

quantiles as (
    select
        edge_number,
        count(*) as n,
        max(distinct_rank) as n_distinct,
        min(x) as x_min,
        min(finite_x) as finite_min,
        max(finite_x) as finite_max,
        {{ mlmon.quantiles('finite_x', percents) }}
    from (
        select
            ranked_values.*,
            case when x - x = 0 then x end as finite_x
        from ranked_values
    ) as finite_values
    group by edge_number
),

named_quantiles as (
    select
        quantiles.*
        {%- for name in ['thousandth', 'quartile_1', 'center', 'quartile_3', 'last_thousandth'] %},
        {{ mlmon.quantile(percents, percents[loop.index0]) }} as {{ name }}
        {%- endfor %}
    from quantiles
),

stats as (
    select
        named_quantiles.*,
        -- No fence where the difference of the quartiles would overflow.
        case
            when abs(quartile_1) < 1e300 and abs(quartile_3) < 1e300 then quartile_3 - quartile_1
        end as iqr
    from named_quantiles
),

-- The binning policy in force for each column, and what it is applied to.
policies as (
    select
        specs.*,
        stats.quartile_1 - 1.5 * stats.iqr as inner_low,
        stats.quartile_3 + 1.5 * stats.iqr as inner_high,
        least(stats.thousandth, stats.quartile_1 - 3 * stats.iqr) as outer_low,
        greatest(stats.last_thousandth, stats.quartile_3 + 3 * stats.iqr) as outer_high,
        coalesce(stats.n, 0) as n,
        stats.n_distinct,
        stats.x_min,
        stats.finite_min,
        stats.finite_max,
        coalesce(stats.center, 0) as center,
        case
            -- A constant: any scale will do with which other values can be summed, too.
            when stats.finite_min = stats.finite_max then greatest(abs(stats.center), 1.0) / 4
            else greatest(
                stats.quartile_3 / 4 - stats.quartile_1 / 4,
                (stats.finite_max / 4 - stats.center / 4) * 1e-6,
                (stats.center / 4 - stats.finite_min / 4) * 1e-6,
                {{ mlmon.smallest_scale() }}
            )
        end as quarter_scale,
        case
            when
                specs.bin_policy <> 'custom'
                and coalesce(stats.n_distinct, 0) <= specs.n_bins_asked
                then 'discrete'
            else specs.bin_policy
        end as policy
    from specs
    left join stats
        on specs.edge_number = stats.edge_number
),

steps as (
    select
        policies.edge_number,
        policies.policy,
        -- The whole-number rank ceil(n * j / k) of the j-th quantile.
        (
            policies.n * counted.i + policies.n_bins_asked - 1
            - mod(policies.n * counted.i + policies.n_bins_asked - 1, policies.n_bins_asked)
        ) / policies.n_bins_asked as value_rank,
        policies.finite_min + counted.i * (
            case
                when policies.finite_max / 2 - policies.finite_min / 2 < 8e307
                    then (policies.finite_max - policies.finite_min) / policies.n_bins_asked
                else
                    policies.finite_max / policies.n_bins_asked
                    - policies.finite_min / policies.n_bins_asked
            end
        ) as width_edge
    from policies
    inner join ({{ mlmon.integers(100) }}) as counted
        on counted.i >= 1 and counted.i < policies.n_bins_asked
),

edges as (
    select distinct
        ranked_values.edge_number,
        ranked_values.x as edge
    from ranked_values
    inner join steps
        on
            ranked_values.edge_number = steps.edge_number
            and ranked_values.value_rank = steps.value_rank
    where steps.policy in ('quantile', 'relevance')

    union all

    select distinct
        reference_values.edge_number,
        reference_values.x as edge
    from reference_values
    inner join policies
        on
            reference_values.edge_number = policies.edge_number
    where policies.policy = 'discrete'

    union all

    select distinct
        edge_number,
        width_edge as edge
    from steps
    where policy = 'equal_width' and width_edge is not null

    union all

    select
        policies.edge_number,
        given.edge
    from policies
    inner join ({{ mlmon.custom_edges() }}) as given
        on policies.monitor = given.monitor and policies.slot = given.slot
    where policies.policy = 'custom'

    union all

    -- The usual grades, where the reference has none.
    select
        policies.edge_number,
        cast(grades.i as {{ mlmon.type_double() }}) as edge
    from policies
    cross join ({{ mlmon.integers(mlmon.label_bin_count() - 1) }}) as grades
    where policies.bin_policy = 'relevance' and policies.n = 0
),

-- The whole-number ranks ceil(n * i / 1000) of the values that cells are cut at.
cell_steps as (
    select
        policies.edge_number,
        (policies.n * shares.i + 999 - mod(policies.n * shares.i + 999, 1000)) / 1000 as value_rank
    from policies
    inner join ({{ mlmon.integers(999) }}) as shares
        on {{ mlmon.is_cell_share('shares.i') }}
),

-- Cells are cut at the edges of bins, at shares of the reference, at its extremes, and at each of its
-- values where they are few.
cell_edges as (
    select
        edge_number,
        {{ mlmon.list_of('edge') }} as cell_edges
    from (
        select * from edges
        where edge - edge = 0

        union

        select
            ranked_values.edge_number,
            ranked_values.x as edge
        from ranked_values
        inner join cell_steps
            on
                ranked_values.edge_number = cell_steps.edge_number
                and ranked_values.value_rank = cell_steps.value_rank
        where ranked_values.x - ranked_values.x = 0

        union

        select
            ranked_values.edge_number,
            ranked_values.x as edge
        from ranked_values
        inner join policies
            on
                ranked_values.edge_number = policies.edge_number
        where
            ranked_values.x in (policies.finite_min, policies.finite_max)
            or (
                policies.n_distinct <= {{ mlmon.most_values_as_edges() }}
                and ranked_values.x - ranked_values.x = 0
            )
    ) as all_edges
    group by edge_number
),

numbered_edges as (
    select
        edge_number,
        edge,
        row_number() over (
            partition by edge_number
            order by case when edge is null then 0 else 1 end, edge
        ) - 1 as edge_index,
        count(edge) over (partition by edge_number) as n_edges,
        min(edge) over (partition by edge_number) as first_edge
    from (
        select * from edges
        union all
        select
            edge_number,
            cast(null as {{ mlmon.type_double() }}) as edge
        from policies
    ) as with_specs
)

select
    policies.reference_key,
    policies.column_name,
    policies.slot,
    md5(
        policies.monitor || '|' || policies.column_name || '|' || policies.bin_policy
        || '|' || cast(policies.n_bins_asked as {{ dbt.type_string() }})
        || '|' || policies.reference_hash
    ) as bin_spec_id,
    policies.policy,
    cast(numbered_edges.edge_index as bigint) as edge_index,
    numbered_edges.edge,
    cast(numbered_edges.n_edges as bigint) as n_edges,
    -- Few values: each is an edge. Those of a label are edges of intervals all the same.
    policies.policy = 'discrete' and policies.slot <> 'label_value' as is_discrete,
    -- Many values equal the minimum: what falls below it later gets a bin of its own.
    coalesce(
        (policies.policy in ('quantile', 'equal_width') or policies.slot = 'label_value')
        and numbered_edges.first_edge = policies.x_min,
        false
    ) as has_below,
    policies.center,
    coalesce(policies.quarter_scale, 0.25) * 4 as scale,
    {%- for fence in ['inner_low', 'inner_high', 'outer_low', 'outer_high'] %}
    policies.{{ fence }},
    {%- endfor %}
    cell_edges.cell_edges
from policies
inner join numbered_edges
    on policies.edge_number = numbered_edges.edge_number
left join cell_edges
    on
        policies.edge_number = cell_edges.edge_number
        and numbered_edges.edge_index = 0
