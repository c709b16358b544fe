{# KPIs: numbers of each request, by an expression over the names of the log, or from what each cell of the confusion matrix is worth. #}
{% macro kpi_keys() %}
    {{- return([
        'expression', 'unit', 'needs_label', 'is_higher_better', 'warning', 'critical', 'description',
    ]) -}}
{% endmacro %}

{% macro value_matrix_cells() %}{{- return(['tp', 'fp', 'fn', 'tn']) -}}{% endmacro %}

{% macro value_matrix_keys() %}
    {{- return(mlmon.value_matrix_cells() + ['unit', 'warning', 'critical', 'description']) -}}
{% endmacro %}

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

{% macro check_kpis(problems, where, given) %}
    {%- set kpis = given.get('kpis') -%}
    {%- if kpis is not none and kpis is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(kpis), "{name: {expression: ...}}",
            "write each KPI as a name and a block with its expression"
        ) -%}
    {%- else -%}
        {%- for name, block in (kpis or {}).items() -%}
            {%- set here = where ~ "." ~ name -%}
            {%- if name is not string or not modules.re.fullmatch('[a-z][a-z0-9_]{0,62}', name) -%}
                {%- do mlmon.add_problem(
                    problems, here, "the name " ~ mlmon.shown(name),
                    "a lowercase letter, then up to 62 lowercase letters, digits and _", "rename the KPI"
                ) -%}
            {%- endif -%}
            {%- if name == 'value' and given.get('value_matrix') -%}
                {%- do mlmon.add_problem(
                    problems, here, "a KPI of that name beside a value matrix",
                    "any other name, since the value matrix is the KPI 'value'", "rename the KPI"
                ) -%}
            {%- endif -%}
            {%- if block is not mapping -%}
                {%- do mlmon.add_problem(
                    problems, here, mlmon.shown(block), "a block of " ~ mlmon.kpi_keys() | join(", "),
                    "write `" ~ name ~ ": {expression: ...}`"
                ) -%}
            {%- else -%}
                {%- do mlmon.check_kpi(problems, here, block, given) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_kpi(problems, where, block, given) %}
    {%- do mlmon.check_keys(problems, where, block, mlmon.kpi_keys()) -%}
    {%- set expression = block.get('expression') -%}
    {%- do mlmon.check_expression(problems, where ~ ".expression", expression) -%}
    {%- for key in ['needs_label', 'is_higher_better'] if block.get(key) is not none -%}
        {%- do mlmon.check_flag(problems, where ~ "." ~ key, block[key]) -%}
    {%- endfor -%}
    {%- if block.get('needs_label') is false and mlmon.names_label(expression) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".needs_label", "false beside an expression that names `label`",
            "true, or an expression without `label`", "remove needs_label"
        ) -%}
    {%- elif given.get('labels') is none
        and (block.get('needs_label') is true or mlmon.names_label(expression)) -%}
        {%- do mlmon.add_problem(
            problems, where, "a KPI of labels without a label log", "KPIs of labels beside labels",
            "name the label log under `labels`, or leave `label` out of the expression"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_kpi_limits(problems, where, block) -%}
{% endmacro %}

{# What expressions and the value matrix share: thresholds and words. #}
{% macro check_kpi_limits(problems, where, block) %}
    {%- for key in ['warning', 'critical'] if block.get(key) is not none -%}
        {%- do mlmon.check_number(
            problems, where ~ "." ~ key, block[key], least=0.000001, whole=false
        ) -%}
    {%- endfor -%}
    {%- if block.get('warning') is number and block.get('critical') is number
        and block['warning'] > block['critical'] -%}
        {%- do mlmon.add_problem(
            problems, where, "warning " ~ block['warning'] ~ " above critical " ~ block['critical'],
            "warning at or below critical", "swap the two"
        ) -%}
    {%- endif -%}
    {%- for key in ['unit', 'description'] if block.get(key) is not none -%}
        {%- do mlmon.check_text(problems, where ~ "." ~ key, block[key]) -%}
    {%- endfor -%}
{% endmacro %}

{# One expression of SQL: whatever could end it, or begin another statement, is told here and not by the warehouse. #}
{% macro check_expression(problems, where, expression) %}
    {%- if expression is not string or not expression | trim -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(expression), "SQL over the names of the log, as a text",
            "write it in quotes, such as \"case when prediction = 1 then amount else 0 end\""
        ) -%}
    {%- else -%}
        {%- set code = mlmon.without_texts(expression) -%}
        {%- set depth = namespace(now=0, least=0) -%}
        {%- for letter in code if letter in '()' -%}
            {%- set depth.now = depth.now + (1 if letter == '(' else -1) -%}
            {%- set depth.least = [depth.least, depth.now] | min -%}
        {%- endfor -%}
        {%- set open = code | replace("''", "") -%}
        {%- if depth.now != 0 or depth.least < 0 or "'" in open -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(expression), "parentheses and quotes in pairs",
                "add or remove one"
            ) -%}
        {%- elif ';' in code or '--' in code or '/*' in code or '*/' in code -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(expression), "one expression without ; and comments",
                "remove them; words go to `description`"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro check_value_matrix(problems, where, given) %}
    {%- set matrix = given.get('value_matrix') -%}
    {%- set columns = given.get('columns') or {} -%}
    {%- if matrix is not none and matrix is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(matrix), "{tp: number, fp: number, fn: number, tn: number, unit: text}",
            "write `value_matrix: {tp: 10, fp: -2, fn: -5, tn: 0, unit: EUR}`"
        ) -%}
    {%- elif matrix is not none -%}
        {%- do mlmon.check_keys(problems, where, matrix, mlmon.value_matrix_keys()) -%}
        {%- if mlmon.other_task(given, ['binary']) -%}
            {%- do mlmon.add_problem(
                problems, where, "a value matrix on a " ~ given['task'] ~ " monitor",
                "binary monitors only", "write the value of a request as a KPI under `kpis`"
            ) -%}
        {%- elif given.get('threshold') is none and columns is mapping
            and columns.get('prediction', '') is none -%}
            {%- do mlmon.add_problem(
                problems, where, "a value matrix without predictions", "a prediction column or a threshold",
                "name the prediction under `columns`, or a `threshold` over the score"
            ) -%}
        {%- endif -%}
        {%- for cell in mlmon.value_matrix_cells() -%}
            {%- do mlmon.check_number(
                problems, where ~ "." ~ cell, matrix.get(cell), least=-1000000000000,
                most=1000000000000, whole=false
            ) -%}
        {%- endfor -%}
        {%- do mlmon.check_kpi_limits(problems, where, matrix) -%}
    {%- endif -%}
{% endmacro %}
