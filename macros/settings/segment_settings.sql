{# One row per monitor and segment column. #}
{% macro segment_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for segment in m.segments -%}
            {%- do rows.append({
                'monitor': m.name, 'segment_name': segment.name, 'slot': segment.slot,
                'segment_position': segment.position, 'max_values': segment.max_values,
                'is_declared': segment['values'] is not none,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'segment_name': 'text', 'slot': 'text', 'segment_position': 'bigint',
        'max_values': 'bigint', 'is_declared': 'boolean',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor, segment column and declared value. #}
{% macro declared_segment_values() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for segment in m.segments if segment['values'] is not none -%}
            {%- for value in segment['values'] -%}
                {%- do rows.append({
                    'monitor': m.name, 'slot': segment.slot, 'segment_name': segment.name,
                    'segment_value': value,
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'slot': 'text', 'segment_name': 'text', 'segment_value': 'text'}, rows
    )) -}}
{% endmacro %}
