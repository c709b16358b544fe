{#
    Counts the rows of `rows` per key, feature, bin and label bin: key, slot, bin_index, label_bin, n, n_missing, and
    over the pairs (rows with a finite feature, where it is a number, and a finite label, where that is one) n_paired,
    the sums of the standardised feature z and label y, of their squares and product, and their least and greatest
    value: what every association with the label is computed from.

    rows: a relation with the key, edge_set_number, the slots, label_bin, y and has_pair
    key, keyed_references: as for count_columns
#}
{% macro count_label_bins(rows, key, keyed_references) %}
    {%- set branches = [] -%}
    {%- for n_edges, slots in mlmon.feature_slots_by_edges().items() -%}
        {%- do branches.append(mlmon.count_numeric_label_bins(rows, key, slots, n_edges)) -%}
    {%- endfor -%}
    {%- set slots = mlmon.feature_slots(mlmon.numbered_slots('categorical')) -%}
    {%- if slots -%}
        {%- do branches.append(
            mlmon.count_category_label_bins(rows, key, keyed_references, slots)
        ) -%}
    {%- endif -%}
    {%- if branches -%}
        {{- return(branches | join("\n\n    union all\n")) -}}
    {%- endif -%}
    {%- set text = dbt.type_string() -%}
    {%- set double = mlmon.type_double() -%}
    {%- set sums = [] -%}
    {%- for column in mlmon.pair_sums() -%}
        {%- do sums.append("cast(0 as " ~ double ~ ") as " ~ column) -%}
    {%- endfor -%}
    {{- return(
        "select " ~ key ~ ", cast(null as " ~ text ~ ") as slot, cast(0 as bigint) as bin_index,"
        ~ " cast(null as " ~ text ~ ") as label_bin, cast(0 as bigint) as n,"
        ~ " cast(0 as bigint) as n_missing, cast(0 as bigint) as n_paired, " ~ sums | join(", ")
        ~ " from " ~ keyed_references ~ " where false"
    ) -}}
{% endmacro %}

{# The sums over pairs, in the order of the facts; the last four are not sums but bounds. #}
{% macro pair_sums() %}
    {{- return([
        'sum_z', 'sum_z2', 'sum_y', 'sum_y2', 'sum_zy', 'z_min', 'z_max', 'y_min', 'y_max',
    ]) -}}
{% endmacro %}

{# The same columns of a relation that holds them, added up. #}
{% macro added_pair_sums(relation) %}
    {%- set cells = [] -%}
    {%- for column in mlmon.pair_sums() -%}
        {%- set how = 'min' if column.endswith('_min') else 'max' if column.endswith('_max') else 'sum' -%}
        {%- do cells.append(how ~ "(" ~ relation ~ "." ~ column ~ ") as " ~ column) -%}
    {%- endfor -%}
    {{- return(cells | join(",\n        ")) -}}
{% endmacro %}

{# Of numbered slots those of features: score and prediction are no cause of the label. #}
{% macro feature_slots(slots) %}
    {%- set chosen = {} -%}
    {%- for number, slot in slots.items() if slot.startswith('numeric_') or slot.startswith('category_') -%}
        {%- do chosen.update({number: slot}) -%}
    {%- endfor -%}
    {{- return(chosen) -}}
{% endmacro %}

{% macro feature_slots_by_edges() %}
    {%- set chosen = {} -%}
    {%- for n_edges, slots in mlmon.numeric_slots_by_edges().items() -%}
        {%- set features = mlmon.feature_slots(slots) -%}
        {%- if features -%}{%- do chosen.update({n_edges: features}) -%}{%- endif -%}
    {%- endfor -%}
    {{- return(chosen) -}}
{% endmacro %}

{# The staging slots that hold features. #}
{% macro feature_slot_names() %}
    {%- set names = [] -%}
    {%- for slot in mlmon.slot_names() if not slot.startswith('segment') -%}
        {%- do names.append(slot) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{# One row per slot number. #}
{% macro slot_numbers(slots) %}
    {%- set rows = [] -%}
    {%- for number in slots -%}{%- do rows.append({'slot_number': number}) -%}{%- endfor -%}
    {{- return(mlmon.settings_relation({'slot_number': 'bigint'}, rows)) -}}
{% endmacro %}

{% macro count_numeric_label_bins(rows, key, slots, n_edges) %}
    select
        {{ key }},
        {{ mlmon.slot_name('slot_number', slots) }} as slot,
        cast(bin_index as bigint) as bin_index,
        label_bin,
        cast(count(*) as bigint) as n,
        cast(count(*) - count(x) as bigint) as n_missing,
        cast(count(paired_z) as bigint) as n_paired,
        sum(paired_z) as sum_z,
        sum(paired_z * paired_z) as sum_z2,
        sum(paired_y) as sum_y,
        sum(paired_y * paired_y) as sum_y2,
        sum(paired_z * paired_y) as sum_zy,
        min(paired_z) as z_min,
        max(paired_z) as z_max,
        min(paired_y) as y_min,
        max(paired_y) as y_max
    from (
        select
            standardised.*,
            case when has_pair then z end as paired_z,
            case when has_pair and z is not null then y end as paired_y
        from (
            select
                binned.*,
                {{ mlmon.standardise('finite_x', 'center', 'scale') }} as z
            from (
                select
                    logged.*,
                    case when logged.x - logged.x = 0 then logged.x end as finite_x,
                    {{ mlmon.bin_of('logged.x', 'edges', n_edges) }} as bin_index,
                    edges.center,
                    edges.scale
                from (
                    select
                        logged.{{ key }},
                        logged.label_bin,
                        logged.y,
                        logged.has_pair,
                        slots.slot_number,
                        logged.edge_set_number
                        * {{ mlmon.monitored_slots('numeric') | length + 1 }} + slots.slot_number
                            as edge_number,
                        {{ mlmon.slot_value('slots.slot_number', slots) }} as x
                    from {{ rows }} as logged
                    cross join ({{ mlmon.slot_numbers(slots) }}) as slots
                    {{ mlmon.evaluated_once() }}
                ) as logged
                inner join {{ ref('mlmon', 'int_mlmon__slot_edges') }} as edges
                    on logged.edge_number = edges.edge_number
                {{ mlmon.evaluated_once() }}
            ) as binned
            {{ mlmon.evaluated_once() }}
        ) as standardised
    ) as paired
    group by {{ key }}, slot_number, bin_index, label_bin
{% endmacro %}

{# Categories are counted first and looked up after: far fewer rows to compare. #}
{% macro count_category_label_bins(rows, key, keyed_references, slots) %}
    {%- set double = mlmon.type_double() %}
    select
        counted.{{ key }},
        counted.slot,
        cast(
            case
                when counted.category is null then coalesce(totals.n_own_bins, 0) + 2
                when known.category is null then coalesce(totals.n_own_bins, 0) + 1
                when known.has_own_bin then known.category_rank
                else totals.n_own_bins
            end as bigint
        ) as bin_index,
        counted.label_bin,
        cast(sum(counted.n) as bigint) as n,
        cast(sum(case when counted.category is null then counted.n else 0 end) as bigint)
            as n_missing,
        cast(sum(counted.n_paired) as bigint) as n_paired,
        cast(null as {{ double }}) as sum_z,
        cast(null as {{ double }}) as sum_z2,
        sum(counted.sum_y) as sum_y,
        sum(counted.sum_y2) as sum_y2,
        cast(null as {{ double }}) as sum_zy,
        cast(null as {{ double }}) as z_min,
        cast(null as {{ double }}) as z_max,
        min(counted.y_min) as y_min,
        max(counted.y_max) as y_max
    from (
        select
            {{ key }},
            {{ mlmon.slot_name('slot_number', slots) }} as slot,
            category,
            label_bin,
            count(*) as n,
            count(case when has_pair and category is not null then 1 end) as n_paired,
            sum(case when category is not null then y end) as sum_y,
            sum(case when category is not null then y * y end) as sum_y2,
            min(case when category is not null then y end) as y_min,
            max(case when category is not null then y end) as y_max
        from (
            select
                logged.{{ key }},
                logged.label_bin,
                logged.y,
                logged.has_pair,
                slots.slot_number,
                {{ mlmon.slot_value('slots.slot_number', slots) }} as category
            from {{ rows }} as logged
            cross join ({{ mlmon.slot_numbers(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        group by {{ key }}, slot_number, category, label_bin
    ) as counted
    inner join {{ keyed_references }} as keyed
        on counted.{{ key }} = keyed.{{ key }}
    inner join {{ ref('mlmon', 'int_mlmon__column_settings') }} as columns
        on
            keyed.monitor = columns.monitor
            and counted.slot = columns.slot
    left join {{ ref('mlmon', 'int_mlmon__reference_categories') }} as known
        on
            keyed.reference_key = known.reference_key
            and columns.column_name = known.column_name
            and counted.category = known.category
            and not known.is_segment
    left join (
        select
            reference_key,
            column_name,
            sum(case when has_own_bin then 1 else 0 end) as n_own_bins
        from {{ ref('mlmon', 'int_mlmon__reference_categories') }}
        where not is_segment
        group by reference_key, column_name
    ) as totals
        on
            keyed.reference_key = totals.reference_key
            and columns.column_name = totals.column_name
    group by 1, 2, 3, 4
{% endmacro %}
