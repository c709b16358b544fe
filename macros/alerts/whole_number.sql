{# A text of at most nine digits as an integer, NULL where it is anything else. #}
{% macro whole_number(text) -%}
    case
        when
            {{ text }} <> ''
            and length({{ text }}) <= 9
            and translate({{ text }}, '0123456789', '') = ''
            then cast({{ text }} as integer)
    end
{%- endmacro %}
