-- One row per touched window end and span of a monitor with class scores, and base window in it: whose predictions
-- performance is estimated from.
select
    dense_rank() over (order by spans.window_key, spans.span_windows) as stretch_number,
    spans.window_key,
    spans.monitor,
    spans.span_windows,
    spans.is_default_span,
    touched.reference_key,
    settings.n_class_scores,
    windows.window_key as source_key
from {{ ref('int_mlmon__touched_estimation_ends') }} as touched
inner join {{ ref('int_mlmon__spans') }} as spans
    on touched.window_key = spans.window_key
inner join {{ ref('int_mlmon__settings') }} as settings
    on
        spans.monitor = settings.monitor
        and settings.n_class_scores > 0
inner join {{ ref('int_mlmon__windows') }} as windows
    on
        spans.monitor = windows.monitor
        and spans.model_version = windows.model_version
        and windows.n_predictions > 0
        and windows.window_index between spans.first_index and spans.window_index
where touched.reference_key is not null
