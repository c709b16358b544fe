{#
    One row per monitor and monitored column. Labels are not among them: their distribution belongs to the
    label facts, which change when labels arrive.
#}
{% macro column_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': column.name, 'column_role': column.role,
                'column_kind': column.kind, 'slot': column.slot, 'column_position': loop.index,
                'bin_policy': column.bins.policy, 'n_bins_asked': column.bins.k,
                'smoothing': column.smoothing, 'missing_policy': column.missing,
                'methods': ',' ~ column.methods | join(',') ~ ',',
                'deciding_methods': ',' ~ column.rule | join(',') ~ ',' if column.rule else none,
                'is_ranked': column.kind == 'numeric' and mlmon.is_ranked(column),
                'is_ranked_by_segment': column.kind == 'numeric' and mlmon.is_ranked_by_segment(column),
                'preset': column.preset,
                'declared_min': column.min, 'declared_max': column.max,
                'is_required': column.required, 'importance': column.importance,
                'expression': column.column.expression if column.column else none,
                'description': column.description,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'column_name': 'text', 'column_role': 'text', 'column_kind': 'text',
        'slot': 'text', 'column_position': 'bigint', 'bin_policy': 'text',
        'n_bins_asked': 'bigint', 'smoothing': 'text', 'missing_policy': 'text',
        'methods': 'text', 'preset': 'text', 'deciding_methods': 'text', 'is_ranked': 'boolean',
        'is_ranked_by_segment': 'boolean',
        'declared_min': 'double', 'declared_max': 'double', 'is_required': 'boolean',
        'importance': 'double', 'expression': 'text', 'description': 'text',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor, numeric column and given edge, for `bins: {policy: custom}`. #}
{% macro custom_edges() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.bins.policy == 'custom' -%}
            {%- for edge in column.bins.edges -%}
                {%- do rows.append({'monitor': m.name, 'slot': column.slot, 'edge': edge}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'slot': 'text', 'edge': 'double'}, rows
    )) -}}
{% endmacro %}

{# The distinct slots of a kind that any monitored column uses, in order. #}
{% macro monitored_slots(kind) %}
    {%- set slots = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for number in range(1, m.feature_counts[kind] + 1) -%}
            {%- do slots.append(('numeric_' if kind == 'numeric' else 'category_') ~ number) -%}
        {%- endfor -%}
        {%- for output in mlmon.monitored_outputs(m) if output.kind == kind and output.role != 'label' -%}
            {%- do slots.append(output.slot) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(slots | unique | list) -}}
{% endmacro %}
