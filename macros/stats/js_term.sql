{# A bin's term of KL(share || mean of both shares), in bits; an empty bin adds nothing. #}
{% macro js_term(share, other) %}
    {{- return(
        "case when " ~ share ~ " > 0 then " ~ share ~ " * ln(" ~ share ~ " / ((" ~ share ~ " + "
        ~ other ~ ") / 2)) / ln(2.0) else 0 end"
    ) -}}
{% endmacro %}
