{#
    The normal form: a list of KPIs, the value matrix as one named `value`. `number` counts a monitor's expressions with
    labels and those without, each by themselves: they are columns of different facts.
#}
{% macro normal_kpis(given) %}
    {%- set kpis = [] -%}
    {%- set numbers = {true: 0, false: 0} -%}
    {%- for name, block in (given.get('kpis') or {}).items() -%}
        {%- set needs_label = block.get('needs_label') -%}
        {%- if needs_label is none -%}
            {%- set needs_label = mlmon.names_label(block.get('expression')) -%}
        {%- endif -%}
        {%- set needs_label = true if needs_label else false -%}
        {%- do numbers.update({needs_label: numbers[needs_label] + 1}) -%}
        {%- do kpis.append({
            'name': name, 'expression': block.get('expression'), 'matrix': none,
            'needs_label': needs_label, 'number': numbers[needs_label],
            'unit': block.get('unit') or 'none',
            'is_higher_better': block.get('is_higher_better', true),
            'warning': block.get('warning'), 'critical': block.get('critical'),
            'description': block.get('description') or '',
        }) -%}
    {%- endfor -%}
    {%- set matrix = given.get('value_matrix') -%}
    {%- if matrix and given.get('labels') is not none -%}
        {%- do kpis.append({
            'name': 'value', 'expression': none, 'matrix': matrix, 'needs_label': true, 'number': none,
            'unit': matrix.get('unit') or 'none', 'is_higher_better': true,
            'warning': matrix.get('warning'), 'critical': matrix.get('critical'),
            'description': matrix.get('description') or 'What the cells of the confusion matrix are worth.',
        }) -%}
    {%- endif -%}
    {{- return(kpis) -}}
{% endmacro %}

{# An expression without what stands in quotes. #}
{% macro without_texts(expression) %}
    {{- return(modules.re.sub("'(''|[^'])*'", "''", expression)) -}}
{% endmacro %}

{% macro names_label(expression) %}
    {{- return(
        expression is string
        and modules.re.search('(?i)(?<![.\\w])label(?!\\w)', mlmon.without_texts(expression)) is not none
    ) -}}
{% endmacro %}
