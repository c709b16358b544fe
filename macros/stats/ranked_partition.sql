{# The window of one column's ranks: all cells of a window end and segment. #}
{% macro ranked_partition(ordering='') %}
    {{- return("(partition by end_number, column_number " ~ ordering ~ ")") -}}
{% endmacro %}
