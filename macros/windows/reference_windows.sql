{#
    SQL: one row per reference and window it is made of: the windows of its table, or those of the log between its first
    and last. What is compared with a reference adds up the facts of these windows; no window belongs to two references.
    A reference in the log has no rows here until it was read completely, because until then it has no bins. Rows of a
    table without a time are one window, which no threshold is taken from (is_threshold_window).
#}
{% macro reference_windows() %}
    {#- What it says follows the bins, also where nothing else of them is read. #}
    {%- do ref('mlmon', 'int_mlmon__bin_edges') %}
    with

    windows as (
        select * from {{ ref('mlmon', 'int_mlmon__windows') }}
        where n_predictions > 0
    ),

    counted_references as (
        select reference_facts.*
        from {{ ref('mlmon', 'int_mlmon__references') }} as reference_facts
        inner join {{ ref('mlmon', 'int_mlmon__processed_windows') }} as processed
            on
                reference_facts.reference_key = processed.window_key
                and processed.model_name = 'int_mlmon__bin_edges'
    )

    select
        counted_references.reference_key,
        counted_references.monitor,
        windows.window_key,
        windows.window_index,
        windows.window_start is not null as is_threshold_window
    from counted_references
    inner join windows
        on
            counted_references.monitor = windows.monitor
            and (
                (
                    counted_references.reference_kind = 'table'
                    and windows.source = 'reference'
                    and counted_references.reference_version = windows.reference_version
                )
                or (
                    counted_references.reference_kind <> 'table'
                    and windows.source = 'log'
                    and counted_references.logged_version in ('all', windows.model_version)
                    and windows.window_index
                    between counted_references.first_index and counted_references.last_index
                )
            )
{% endmacro %}
