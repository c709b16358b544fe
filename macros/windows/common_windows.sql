{#
    A fact of requests that two versions scored belongs to the windows of both: it is replaced when either changes.
    The strategy deletes by the one window, this hook by the other. Should the run fail between the two, the
    window is still recorded as out of date, and the next run makes the rows again.
#}
{% macro forget_other_windows() %}
    {%- if is_incremental() and not flags.EMPTY -%}
        delete from {{ this }}
        where other_window_key in (select window_key from {{ mlmon.stale_rows('labels') }})
    {%- endif -%}
{% endmacro %}
