{#
    The reference has two parts: the rows that the bins are made from (a table, dates, first days), and what
    windows are compared with: those rows, or windows that move with the tested ones.
#}
{% macro normal_reference(r) %}
    {%- set reference = {
        'kind': 'none', 'relation': none, 'from': none, 'to': none, 'first_days': none,
        'compared_with': 'reference', 'rolling_days': none, 'version': none,
    } -%}
    {%- set rows = mlmon.reference_rows_of(r) -%}
    {%- if rows is mapping -%}
        {%- if 'source' in rows or 'ref' in rows -%}
            {%- do reference.update({'kind': 'table', 'relation': rows}) -%}
        {%- elif 'first_days' in rows or not rows -%}
            {%- do reference.update({
                'kind': 'first_days', 'first_days': rows.get('first_days', 30),
            }) -%}
        {%- else -%}
            {%- do reference.update({
                'kind': 'dates', 'from': rows.get('from') | string, 'to': rows.get('to') | string,
            }) -%}
        {%- endif -%}
        {%- if 'rolling_days' in r -%}
            {%- do reference.update({
                'compared_with': 'rolling', 'rolling_days': r['rolling_days'],
            }) -%}
        {%- elif 'version' in r -%}
            {%- do reference.update({
                'compared_with': 'version', 'version': mlmon.value_text(r['version']),
            }) -%}
        {%- elif r.get('previous_span') -%}
            {%- do reference.update({'compared_with': 'previous_span'}) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(reference) -}}
{% endmacro %}

{# What is written of the rows that the bins are made from: a reference without the keys that make it move. #}
{% macro reference_rows_of(reference) %}
    {%- if reference is not mapping -%}{{- return(reference) -}}{%- endif -%}
    {%- set rows = {} -%}
    {%- for key, value in reference.items() if key not in ('rolling_days', 'previous_span', 'version') -%}
        {%- do rows.update({key: value}) -%}
    {%- endfor -%}
    {{- return(rows) -}}
{% endmacro %}
