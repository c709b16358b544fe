{#
    A text such as 5, -0.25 or .5 as a number, NULL where it is anything else.
    Warehouses differ in what else they take for a number (1e3, 0x1F, 1_000, inf, nan),
    so only this form is allowed.
#}
{% macro plain_number(text) -%}
    case
        when
            length({{ text }}) <= 40
            and translate({{ text }}, '0123456789', '') in ('', '.', '-', '-.')
            and translate({{ text }}, '.-', '') <> ''
            and ({{ text }} not like '%-%' or {{ text }} like '-%')
            then cast({{ text }} as {{ mlmon.type_double() }})
    end
{%- endmacro %}
