{#
    When a row was loaded. Where the log does not say, it was when the event happened; an event in the future has no
    such time (and goes to the quarantine): its own word would make it plausible.
#}
{% macro loaded_at(log, column, event_at) %}
    {{- return(
        "coalesce(" ~ mlmon.as_timestamp(log, column) ~ ", case when " ~ event_at ~ " < "
        ~ mlmon.add_time(mlmon.utc_now(), 1, 'day') ~ " then " ~ event_at ~ " end)"
    ) -}}
{% endmacro %}
