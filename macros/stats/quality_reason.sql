{# The sentence beside a quality verdict. #}
{% macro quality_reason(r) %}
    {%- set failed = "cast(cast(" ~ r ~ ".n_failed as bigint) as " ~ dbt.type_string() ~ ")" -%}
    {%- set checked = "cast(cast(" ~ r ~ ".n_checked as bigint) as " ~ dbt.type_string() ~ ")" -%}
    {%- set what = {
        'missing': 'are missing', 'out_of_range': 'lie outside the declared range',
        'unseen_category': 'hold a category the reference does not know',
        'duplicates': 'are further rows of a request that has one',
        'label_conflicts': 'have labels that contradict each other',
        'freshness': 'were loaded after their window had closed',
    } -%}
    {%- set branches = [] -%}
    {%- for check, words in what.items() -%}
        {%- do branches.append(
            "when " ~ r ~ ".check_name = '" ~ check ~ "' then " ~ failed ~ " || ' of ' || " ~ checked
            ~ " || ' " ~ words ~ " (' || " ~ mlmon.percent_text(r ~ ".value") ~ " || '"
            ~ ({'missing': ", reference ' || ", 'freshness': ", usual ' || "}[check]
                ~ mlmon.percent_text(r ~ ".reference_value") ~ " || ').'"
                if check in ('missing', 'freshness') else ").'")
        ) -%}
    {%- endfor -%}
    {{- return(
        "case when " ~ r ~ ".reason_code = 'no_rows' then 'No rows to check.'"
        ~ " when " ~ r ~ ".reason_code = 'no_reference' then 'There is no reference to compare with.'"
        ~ " when " ~ r ~ ".reason_code = 'short_history' then 'Too few earlier windows to compare with.'"
        ~ " when " ~ r ~ ".reason_code = 'required_column_missing' then 'The log has no column of this name; it is required.'"
        ~ " when " ~ r ~ ".reason_code = 'optional_column_missing' then 'The log has no column of this name.'"
        ~ " when " ~ r ~ ".reason_code = 'classes_never_match' then " ~ r ~ ".found"
        ~ " when " ~ r ~ ".check_name = 'classes' then 'Labels and predictions have classes in common, or too few to tell.'"
        ~ " when " ~ r ~ ".check_name = 'schema' then 'The log has the column.'"
        ~ " when " ~ r ~ ".check_name = 'volume' then " ~ checked ~ " || ' requests where '"
        ~ " || " ~ mlmon.short_number(r ~ ".reference_value") ~ " || ' are usual for this weekday.'"
        ~ " "
        ~ branches | join(" ") ~ " else '' end"
    ) -}}
{% endmacro %}
