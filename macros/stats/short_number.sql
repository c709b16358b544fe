{#
    A number for a sentence: four decimals, the same text on every warehouse (each
    prints doubles its own way). Numbers of 1e14 and more are named, not printed.
#}
{% macro short_number(x) -%}
    {%- set text = dbt.type_string() -%}
    {%- set scaled = "floor(abs(" ~ x ~ ") * 10000 + 0.5000001)" -%}
    {%- set whole = "floor(" ~ scaled ~ " / 10000)" -%}
    case
        when {{ x }} is null then 'unknown'
        when abs({{ x }}) >= 1e14 then 'beyond 1e14'
        else
            case when {{ x }} < 0 then '-' else '' end
            || cast(cast({{ whole }} as bigint) as {{ text }})
            || '.'
            || lpad(
                cast(
                    cast({{ scaled }} - {{ whole }} * 10000 as bigint) as {{ text }}
                ),
                4,
                '0'
            )
    end
{%- endmacro %}
