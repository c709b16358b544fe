-- One row per reference and window it is made of: the windows of its own table, or those of the log in its stretch. What
-- is compared with a reference adds up the facts of these windows, and no window is of two references. A stretch of the
-- log is none before it was read whole: it has no bins. Rows of a table without a time are one window, which is never
-- one of those that thresholds are taken from.
-- depends_on: {{ ref('int_mlmon__bin_edges') }}
with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_predictions > 0
),

counted_references as (
    select reference_facts.*
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join {{ ref('int_mlmon__processed_windows') }} as processed
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
