{# Whether a column type of the warehouse holds numbers. #}
{% macro is_number_type(data_type) %}
    {%- set words = [
        'int', 'float', 'double', 'real', 'numeric', 'decimal', 'number', 'serial', 'hugeint',
        'bigint', 'smallint', 'tinyint',
    ] -%}
    {%- set kind = (data_type or '') | lower -%}
    {%- for word in words if word in kind and 'interval' not in kind and 'point' not in kind
        and 'struct' not in kind and 'map' not in kind and '[' not in kind -%}
        {{- return(true) -}}
    {%- endfor -%}
    {{- return(false) -}}
{% endmacro %}
