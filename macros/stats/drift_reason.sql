{# The sentence beside a drift verdict. #}
{% macro drift_reason(r) %}
    {%- set n = "cast(" ~ r ~ ".n_current as " ~ dbt.type_string() ~ ")" -%}
    {%- set value = r ~ ".method || ' ' || " ~ mlmon.short_number(r ~ ".value") -%}
    {{- return(
        "case " ~ r ~ ".reason_code"
        ~ " when 'no_reference' then 'There is no reference to compare with.'"
        ~ " when 'no_rows' then 'No predictions in this span.'"
        ~ " when 'short_span' then 'Fewer than half the windows of this span exist.'"
        ~ " when 'undefined' then 'The statistic is undefined: a bin is empty on one side.'"
        ~ " when 'no_threshold' then " ~ r ~ ".method || ' has no threshold here: the seed drift_thresholds can give one.'"
        ~ " when 'not_deciding' then 'Of the methods that the seed drift_thresholds or drift_rule lets decide, none is computed here.'"
        ~ " when 'above_critical' then " ~ value ~ " || ' is at or above '"
        ~ " || " ~ mlmon.short_number(r ~ ".threshold_critical") ~ " || ' with ' || " ~ n
        ~ " || ' rows; chance is unlikely.'"
        ~ " when 'above_warning' then " ~ value ~ " || ' is at or above '"
        ~ " || " ~ mlmon.short_number(r ~ ".threshold_warning") ~ " || ' with ' || " ~ n
        ~ " || ' rows; chance is unlikely.'"
        ~ " when 'sample_too_small' then " ~ n ~ " || ' rows cannot tell a change of the threshold from chance.'"
        ~ " when 'could_be_chance' then " ~ value ~ " || ' is above its threshold but could be chance.'"
        ~ " else " ~ value ~ " || ' is below its threshold.' end"
    ) -}}
{% endmacro %}

{# A double cut to nine decimals, for ranking: equal numbers stay equal whatever their last bits. #}
{% macro rounded(x) %}
    {{- return("floor(" ~ x ~ " * 1e9 + 0.5)") -}}
{% endmacro %}
