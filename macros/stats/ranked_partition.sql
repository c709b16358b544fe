{# The window of one column's ranks: all cells of a window end and segment. #}
{% macro ranked_partition(ordering='') %}
    {{- return("(partition by window_key, segment_name, segment_value, column_name " ~ ordering ~ ")") -}}
{% endmacro %}
