{# The sentence beside a quality verdict. #}
{% macro quality_reason(r) %}
    {%- set failed = "cast(cast(" ~ r ~ ".n_failed as bigint) as " ~ dbt.type_string() ~ ")" -%}
    {%- set checked = "cast(cast(" ~ r ~ ".n_checked as bigint) as " ~ dbt.type_string() ~ ")" -%}
    {%- set share = mlmon.percent_text(r ~ ".value") -%}
    {%- set compared = mlmon.percent_text(r ~ ".reference_value") -%}
    {%- set range = "coalesce(" ~ r ~ ".found, 'unknown')" -%}
    {%- set what = {
        'missing': ("are missing", 'reference'),
        'not_finite': ("are NaN or infinite", 'reference'),
        'unparsable': ("hold text that is no number", 'reference'),
        'out_of_range': ("lie outside the declared range ' || " ~ range ~ " || '", none),
        'score_range': ("are scores outside ' || " ~ range ~ " || '", 'reference'),
        'score_sum': ("have class scores that do not add up to 1, but to something outside ' || " ~ range ~ " || '", 'reference'),
        'reference_range': ("lie far outside what the reference has, ' || " ~ range ~ " || '", 'reference'),
        'outliers': ("lie outside the bulk of the reference, ' || " ~ range ~ " || '", 'reference'),
        'unseen_category': ("hold a category the reference does not know", none),
        'lookalike_category': ("hold a category of the reference in another spelling", none),
        'constant': ("hold one value, ' || " ~ range ~ " || '", 'usual'),
        'duplicates': ("are further rows of a request that has one", none),
        'label_conflicts': ("have labels that contradict each other", none),
        'early_labels': ("have a label from before the prediction", none),
        'orphan_labels': ("labels loaded in the window have no prediction", none),
        'future_timestamps': ("say a time in their future", none),
        'ancient_timestamps': ("say a time before the first that is possible", none),
        'unusable_rows': ("have no id, no time or a reserved version", none),
        'clock_skew': ("were loaded before they were predicted", none),
        'freshness': ("were loaded after their window had closed", 'usual'),
    } -%}
    {%- set branches = [] -%}
    {%- for check, words in what.items() -%}
        {%- do branches.append(
            "when '" ~ check ~ "' then " ~ failed ~ " || ' of ' || " ~ checked ~ " || ' "
            ~ words[0] ~ " (' || " ~ share
            ~ (" || ', " ~ words[1] ~ " ' || " ~ compared if words[1] else "") ~ " || ').'"
        ) -%}
    {%- endfor -%}
    {{- return(
        "case when " ~ r ~ ".reason_code = 'no_rows' then 'No rows to check.'"
        ~ " when " ~ r ~ ".reason_code = 'no_labels' then 'No label has come so far.'"
        ~ " when " ~ r ~ ".reason_code = 'no_reference' then 'There is no reference to compare with.'"
        ~ " when " ~ r ~ ".reason_code = 'short_history' then 'Too few earlier windows to compare with.'"
        ~ " when " ~ r ~ ".reason_code = 'required_column_missing' then 'The log has no column of this name; it is required.'"
        ~ " when " ~ r ~ ".reason_code = 'not_logged' then 'The log has no column of this name, and none is configured: what needs it is not available.'"
        ~ " when " ~ r ~ ".reason_code = 'optional_column_missing' then 'The log has no column of this name.'"
        ~ " when " ~ r ~ ".reason_code in ('classes_never_match', 'differs_from_reference') or "
        ~ r ~ ".check_name = 'schema_change' then " ~ r ~ ".found"
        ~ " else case " ~ r ~ ".check_name"
        ~ " when 'classes' then 'Labels and predictions have classes in common, or too few to tell.'"
        ~ " when 'schema' then 'The log has the column.'"
        ~ " when 'volume' then case when " ~ r ~ ".reference_value is null then"
        ~ " 'No requests, where none of the windows of two weeks was empty.' else " ~ checked ~ " || ' requests where '"
        ~ " || " ~ mlmon.short_number(r ~ ".reference_value") ~ " || ' are usual for this weekday.' end"
        ~ " when 'feed_lag' then 'The newest came ' || " ~ mlmon.short_number(r ~ ".value / 3600")
        ~ " || ' hours before the window ended, at ' || " ~ range ~ " || ', where '"
        ~ " || " ~ mlmon.short_number(r ~ ".reference_value / 3600") ~ " || ' are usual.' "
        ~ branches | join(" ") ~ " else '' end end"
    ) -}}
{% endmacro %}
