{#
    A mapped column in its normal form: {name, quote, expression, declared}. Users write a name,
    {name:, quote:}, {expression:}, or ~ where the log has none.
#}
{% macro normal_column(given, declared=true) %}
    {%- if given is none -%}{{- return(none) -}}{%- endif -%}
    {%- if given is mapping -%}
        {{- return({
            'name': given.get('name', given.get('column', '')) | string,
            'quote': given.get('quote', false),
            'expression': given.get('expression'),
            'declared': declared,
        }) -}}
    {%- endif -%}
    {{- return({
        'name': given | string, 'quote': false, 'expression': none, 'declared': declared,
    }) -}}
{% endmacro %}

{% macro normal_columns(given, names) %}
    {%- set given = given or {} -%}
    {%- set columns = {} -%}
    {%- for name in names -%}
        {%- do columns.update({name: mlmon.normal_column(given.get(name, name), name in given)}) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}

{# A reference table is read like the prediction log unless told otherwise, and may hold the label. #}
{% macro normal_reference_columns(given) %}
    {%- set mapping = dict(given.get('columns') or {}) -%}
    {%- do mapping.update(given.get('reference_columns') or {}) -%}
    {{- return(mlmon.normal_columns(mapping, mlmon.prediction_columns() + ['label'])) -}}
{% endmacro %}

{% macro normal_reference(given) %}
    {%- set reference = {
        'kind': 'none', 'relation': none, 'from': none, 'to': none, 'first_days': none,
    } -%}
    {%- set r = given.get('reference') if 'reference' in given else {'first_days': 30} -%}
    {%- if r is mapping -%}
        {%- if 'source' in r or 'ref' in r -%}
            {%- do reference.update({'kind': 'table', 'relation': r}) -%}
        {%- elif 'first_days' in r -%}
            {%- do reference.update({'kind': 'first_days', 'first_days': r['first_days']}) -%}
        {%- else -%}
            {%- do reference.update({
                'kind': 'dates', 'from': r.get('from') | string, 'to': r.get('to') | string,
            }) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(reference) -}}
{% endmacro %}

{% macro text_mapping(given) %}
    {%- if not given -%}{{- return(none) -}}{%- endif -%}
    {%- set texts = {} -%}
    {%- for raw, class in given.items() -%}
        {%- do texts.update({raw | string: class | string}) -%}
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
