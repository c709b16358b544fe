{# The column mappings of the three logs. #}
{% macro check_mapped_columns(problems, where, given) %}
    {%- for key, names in {
        'columns': mlmon.prediction_columns(), 'label_columns': mlmon.label_log_columns(),
        'reference_columns': mlmon.prediction_columns() + ['label', 'relevance'],
    }.items() -%}
        {%- set mapping = given.get(key) or {} -%}
        {%- set here = where ~ "." ~ key -%}
        {%- if mapping is not mapping -%}
            {%- do mlmon.add_problem(
                problems, here, mlmon.shown(mapping), "{" ~ names | join(", ") ~ "}",
                "map each of these to a column of the log, as {request_id: my_id}"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_keys(problems, here, mapping, names) -%}
            {%- for name, column in mapping.items() if name in names -%}
                {%- set misplaced = mlmon.misplaced_column(name, column, given) -%}
                {%- if misplaced -%}
                    {%- do mlmon.add_problem(problems, here ~ "." ~ name, *misplaced) -%}
                {%- elif column is not none -%}
                    {%- do mlmon.check_mapped_column(problems, here ~ "." ~ name, column) -%}
                {%- elif name in mlmon.identity_columns()[key] -%}
                    {%- do mlmon.add_problem(
                        problems, here ~ "." ~ name, "nothing", "a column of the log",
                        "name the column; a log cannot be monitored without it"
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set columns = given.get('columns') or {} -%}
    {%- if columns is mapping and not given.get('features') and given.get('task') != 'ranking'
        and given.get('threshold') is none and columns.get('prediction', '') is none
        and (given.get('task') == 'regression' or columns.get('score', '') is none) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".features", "no feature, no score and no prediction",
            "at least one of them", "name the features, or map the score or the prediction"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A column of a log: a name, {name:, quote:} or {expression:}. #}
{% macro check_mapped_column(problems, where, given) %}
    {%- if given is mapping -%}
        {%- do mlmon.check_keys(problems, where, given, ['name', 'quote', 'expression']) -%}
        {%- do mlmon.check_column(problems, where, given, 'name', given.get('name')) -%}
    {%- else -%}
        {%- do mlmon.check_column(problems, where, {}, 'name', given) -%}
    {%- endif -%}
{% endmacro %}

{#
    What a mapping, feature or segment says of its column. `key` is what its name is written under; `name` is
    what is written there, or the name of the feature or segment.
#}
{% macro check_column(problems, where, given, key, name) %}
    {%- if 'quote' in given -%}
        {%- do mlmon.check_flag(problems, where ~ ".quote", given['quote']) -%}
    {%- endif -%}
    {%- if given.get('expression') is not none -%}
        {%- do mlmon.check_text(problems, where ~ ".expression", given['expression']) -%}
        {%- for other in [key, 'quote'] if given.get(other) -%}
            {%- do mlmon.add_problem(
                problems, where, "both " ~ other ~ " and expression", "one of them",
                "keep the expression, which may name and quote columns"
            ) -%}
        {%- endfor -%}
    {%- elif name is none or (name is string and not name | trim) -%}
        {%- do mlmon.add_problem(
            problems, where, "no name of a column", "a name, {name:, quote:} or {expression:}",
            "name the column of the log"
        ) -%}
    {%- elif name is not string -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name) ~ ", which YAML does not read as a text",
            "a text", "write the name in quotes"
        ) -%}
    {%- elif given.get('quote', false) is sameas false
        and not modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', name) -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name),
            "letters, digits and _, or any name with `quote: true`",
            "write {" ~ key ~ ": " ~ mlmon.shown(name) ~ ", quote: true}"
        ) -%}
    {%- endif -%}
{% endmacro %}
