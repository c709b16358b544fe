-- One row per reference whose facts are out of date, or that is gone (fingerprint NULL). A stretch of the log that
-- the run does not read whole keeps the facts it has.
with

references_of_monitors as (
    select
        reference_facts.reference_key as window_key,
        reference_facts.fingerprint,
        reference_facts.reference_kind = 'table' or (
            reference_facts.reference_start_at >= bounds.search_from_at
            and reference_facts.first_predicted_at >= bounds.first_predicted_at
        ) as is_readable
    from {{ ref('int_mlmon__references') }} as reference_facts
    left join {{ ref('int_mlmon__log_bounds') }} as bounds
        on reference_facts.monitor = bounds.monitor
),

stale as (
    {{ mlmon.stale_windows('references_of_monitors', [
        'int_mlmon__bin_edges', 'int_mlmon__reference_categories', 'int_mlmon__segment_values',
        'int_mlmon__reference_window_counts', 'int_mlmon__reference_cell_counts',
        'int_mlmon__reference_bucket_counts',
        'int_mlmon__reference_labelled', 'int_mlmon__reference_variation',
        'int_mlmon__label_edges',
    ] + (['int_mlmon__reference_kpi_sums'] if mlmon.is_asked_for('kpis') else [])
    + (['int_mlmon__reference_samples'] if mlmon.measures_joint_drift() else [])
    + (['int_mlmon__reference_class_score_counts'] if mlmon.mentions_class_scores() else [])) }}
)

select stale.*
from stale
left join references_of_monitors
    on stale.window_key = references_of_monitors.window_key
where coalesce(references_of_monitors.is_readable, true)
