{#
    The rows that the bins are made from: a table of its own, two dates, the first days of the log, or none; and
    beside them at most one key that makes the reference move.
#}
{% macro check_reference(problems, where, given, block) %}
    {%- set r = given.get('reference') if 'reference' in given else {'first_days': 30} -%}
    {%- set here = where ~ ".reference" -%}
    {%- set rows = mlmon.reference_rows_of(r) -%}
    {%- set moving = mlmon.moving_reference_keys() -%}
    {%- set is_table = rows is mapping and ('source' in rows or 'ref' in rows) -%}
    {%- if is_table -%}
        {%- do mlmon.check_relation(problems, here, rows) -%}
    {%- elif rows is mapping and 'first_days' in rows -%}
        {%- do mlmon.check_keys(problems, here, r, ['first_days'] + moving) -%}
        {%- do mlmon.check_number(
            problems, here ~ ".first_days", rows['first_days'], least=1, most=3660
        ) -%}
    {%- elif rows is mapping and 'from' in rows and 'to' in rows -%}
        {%- do mlmon.check_keys(problems, here, r, ['from', 'to'] + moving) -%}
        {%- do mlmon.check_date(problems, here ~ ".from", rows['from']) -%}
        {%- do mlmon.check_date(problems, here ~ ".to", rows['to']) -%}
        {%- if rows['from'] | string > rows['to'] | string -%}
            {%- do mlmon.add_problem(
                problems, here, "from " ~ rows['from'] ~ " after to " ~ rows['to'],
                "from on or before to", "swap the two dates"
            ) -%}
        {%- endif -%}
    {%- elif r is not none and r != 'none' and (rows or not r or r is not mapping) -%}
        {%- do mlmon.add_problem(
            problems, here,
            mlmon.shown(r) if r is not mapping
            else ("the keys " ~ r.keys() | join(", ") if r else "no keys"),
            "{source: [source, table]}, {ref: model}, {from: date, to: date}, {first_days: number},"
            ~ " {rolling_days: number}, {previous_span: true}, {version: name} or none",
            "use one of these forms"
        ) -%}
    {%- endif -%}
    {%- if r is mapping -%}{%- do mlmon.check_moving_reference(problems, here, r) -%}{%- endif -%}
    {%- if block.get('reference_columns') and not is_table -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".reference_columns", "reference_columns without a reference table",
            "reference_columns beside a reference of its own relation",
            "name the table under `reference`, or remove it"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# What windows are compared with instead of the reference's own rows. #}
{% macro check_moving_reference(problems, where, r) %}
    {%- set moving = mlmon.moving_reference_keys() -%}
    {%- set written = moving | select('in', r) | list -%}
    {%- if written | length > 1 -%}
        {%- do mlmon.add_problem(
            problems, where, written | join(" beside "), "one of " ~ moving | join(", "),
            "keep the one to compare with"
        ) -%}
    {%- endif -%}
    {%- if 'rolling_days' in r -%}
        {%- do mlmon.check_number(
            problems, where ~ ".rolling_days", r['rolling_days'], least=1, most=3660
        ) -%}
    {%- endif -%}
    {%- if 'previous_span' in r -%}
        {%- do mlmon.check_flag(problems, where ~ ".previous_span", r['previous_span']) -%}
    {%- endif -%}
    {%- if 'version' in r
        and (r['version'] is boolean or not (r['version'] is string or r['version'] is integer)
            or not r['version'] | string | trim or r['version'] == 'all') -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".version", mlmon.shown(r['version']),
            "one model_version of the log, not all",
            "write it as the log has it, in quotes where it looks like a number"
        ) -%}
    {%- endif -%}
{% endmacro %}
