{#
    A mapped column in its normal form: {name, quote, expression, declared}. Users write a name,
    {name:, quote:}, {expression:}, or ~ where the log has none.
#}
{% macro normal_column(given, declared=true) %}
    {%- if given is none -%}{{- return(none) -}}{%- endif -%}
    {%- set is_block = given is mapping -%}
    {{- return({
        'name': (given.get('name', '') if is_block else given) | string,
        'quote': given.get('quote', false) if is_block else false,
        'expression': given.get('expression') if is_block else none,
        'declared': declared,
    }) -}}
{% endmacro %}

{% macro normal_columns(given, names) %}
    {%- set given = given or {} -%}
    {%- set columns = {} -%}
    {%- for name in names -%}
        {%- do columns.update({
            name: mlmon.normal_column(given[name]) if name in given
            else {'name': name, 'quote': false, 'expression': none, 'declared': false}
        }) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}

{# A reference table is read like the prediction log unless told otherwise, and may hold the label. #}
{% macro normal_reference_columns(given) %}
    {%- set mapping = dict(given.get('columns') or {}) -%}
    {%- do mapping.update(given.get('reference_columns') or {}) -%}
    {{- return(mlmon.columns_of_task(
        mlmon.normal_columns(mapping, mlmon.prediction_columns() + ['label', 'relevance']), given.get('task')
    )) -}}
{% endmacro %}

{# A value of a log as a warehouse writes it: YAML's true is the text 'true'. #}
{% macro value_text(value) %}
    {%- if value is boolean -%}{{- return('true' if value else 'false') -}}{%- endif -%}
    {{- return(value | string) -}}
{% endmacro %}

{% macro value_texts(given) %}
    {%- set texts = [] -%}
    {%- for value in given -%}{%- do texts.append(mlmon.value_text(value)) -%}{%- endfor -%}
    {{- return(texts) -}}
{% endmacro %}

{# A class as staging writes it: whole numbers have no decimals. #}
{% macro class_text(value) %}
    {%- if value is float and value == value | int -%}{{- return(value | int | string) -}}{%- endif -%}
    {{- return(mlmon.value_text(value)) -}}
{% endmacro %}

{% macro text_mapping(given) %}
    {%- if not given -%}{{- return(none) -}}{%- endif -%}
    {%- set texts = {} -%}
    {%- for raw, class in given.items() -%}
        {%- do texts.update({mlmon.class_text(raw): mlmon.class_text(class)}) -%}
    {%- endfor -%}
    {{- return(texts) -}}
{% endmacro %}

{# Spans in base windows, ascending, 1 among them: '7d' is 7 daily or 168 hourly windows. #}
{% macro normal_spans(given, grain) %}
    {%- set written = given or (['1h', '24h', '7d'] if grain == 'hour' else ['1d', '7d', '28d']) -%}
    {%- set spans = [1] -%}
    {%- for span in written -%}
        {%- set number = (span | string)[:-1] | int -%}
        {%- do spans.append(number * (24 if grain == 'hour' and (span | string).endswith('d') else 1)) -%}
    {%- endfor -%}
    {{- return(spans | unique | sort | list) -}}
{% endmacro %}
