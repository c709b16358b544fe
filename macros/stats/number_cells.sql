{#
    Cells of numbers on a grid that needs no reference: scores, and the sizes of errors. A cell holds the numbers that
    agree in their first digits, three where nothing else is said: .1234 and .12296 are in the cell of .123. Cells are
    whole numbers that grow with what they hold, and the same on every warehouse: powers of ten are written out,
    logarithms would round at the decades. Distinct numbers of at most so many digits have a cell each, so what is
    counted by cells is exact for them; of others the least and the greatest of a cell are kept beside it.
#}

{# The decades that are told apart: numbers below the first are rounded to its last digit, those above the last share a cell. #}
{% macro cell_decades() %}{{- return({'score': 9, 'lowest': -12, 'highest': 18}) -}}{% endmacro %}

{#
    The cell of a score. From 0 to 1 digits are counted from the nearer end (.999876 is .000124 below 1), because scores
    gather at both: cells 0 to 18,000 for three digits. One half is the first of the upper half: a threshold of .5 divides
    no cell. Other scores, such as log odds, lie outside by number_cell().
#}
{% macro score_cell(score, digits=3) %}
    {%- set decades = mlmon.cell_decades()['score'] -%}
    {%- set top = 2 * 10 ** digits * decades -%}
    {{- return(
        "cast(case when " ~ score ~ " < 0 or " ~ score ~ " > 1 then " ~ mlmon.number_cell(score, digits)
        ~ " + case when " ~ score ~ " > 1 then " ~ top ~ " else 0 end"
        ~ " when " ~ score ~ " < 0.5 then " ~ mlmon.distance_cell(score, digits)
        ~ " else " ~ top ~ " - " ~ mlmon.distance_cell("(1 - " ~ score ~ ")", digits) ~ " end as bigint)"
    ) -}}
{% endmacro %}

{# The same with as many digits as the monitor of the row has, a column; NULL of none. #}
{% macro score_cell_of_monitor(score, digits_column) %}
    {%- set branches = [] -%}
    {%- for digits in mlmon.score_digits() -%}
        {%- do branches.append(
            "when " ~ score ~ " is not null and " ~ digits_column ~ " = " ~ digits ~ " then " ~ mlmon.score_cell(score, digits)
        ) -%}
    {%- endfor -%}
    {{- return("case " ~ branches | join(" ") ~ " end") -}}
{% endmacro %}

{# A score that is a probability; NULL of others. Postgres could not compute with one below 1e-70: it is 0. #}
{% macro probable_score(score) %}
    {{- return(
        "case when " ~ score ~ " >= 0 and " ~ score ~ " <= 1 then " ~ mlmon.without_underflow(score) ~ " end"
    ) -}}
{% endmacro %}

{# The cell of a distance from 0 of at most one half, or from 1. #}
{% macro distance_cell(x, digits) %}
    {%- set decades = mlmon.cell_decades()['score'] -%}
    {%- set size = 10 ** digits -%}
    {%- set branches = [] -%}
    {%- for decade in range(1, decades) -%}
        {%- do branches.append(
            "when " ~ x ~ " * " ~ 10 ** (decade + digits) ~ " >= " ~ (size - 0.5) ~ " then " ~ size * (decades - decade)
            ~ " + floor(" ~ x ~ " * " ~ 10 ** (decade + digits - 1) ~ " + 0.5)"
        ) -%}
    {%- endfor -%}
    {{- return(
        "(case " ~ branches | join(" ") ~ " else floor(" ~ x ~ " * " ~ 10 ** (decades + digits - 1) ~ " + 0.5) end)"
    ) -}}
{% endmacro %}

{# The cell of any number that is not NaN, by its size and its sign: 0 has the cell 0, and -x that of x with a minus. #}
{% macro number_cell(x, digits=3) %}
    {%- set size = "abs(" ~ x ~ ")" -%}
    {%- set unit = 10 ** digits -%}
    {%- set lowest = mlmon.cell_decades()['lowest'] -%}
    {%- set highest = mlmon.cell_decades()['highest'] -%}
    {%- set branches = [
        "when " ~ size ~ " >= 1e" ~ highest ~ " then " ~ unit * (highest - lowest + 1),
        "when " ~ size ~ " < 1e" ~ (lowest - digits - 3) ~ " then 0",
    ] -%}
    {%- for decade in range(highest - 1, lowest, -1) -%}
        {%- do branches.append(
            "when " ~ mlmon.times_ten(size, digits - decade) ~ " >= " ~ (unit - 0.5) ~ " then " ~ unit * (decade - lowest)
            ~ " + floor(" ~ mlmon.times_ten(size, digits - 1 - decade) ~ " + 0.5)"
        ) -%}
    {%- endfor -%}
    {{- return(
        "cast(case when " ~ x ~ " < 0 then -1 else 1 end * (case " ~ branches | join(" ") ~ " else floor("
        ~ mlmon.times_ten(size, digits - 1 - lowest) ~ " + 0.5) end) as bigint)"
    ) -}}
{% endmacro %}

{# x times a power of ten, by one correctly rounded operation. #}
{% macro times_ten(x, power) %}
    {{- return(x ~ " * " ~ 10 ** power if power >= 0 else x ~ " / " ~ 10 ** (0 - power)) -}}
{% endmacro %}
