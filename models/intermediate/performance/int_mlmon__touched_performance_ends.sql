-- One row per window end or reference whose metrics are out of date, or that is gone (fingerprint NULL).
with

ends as (
    select * from {{ ref('int_mlmon__performance_ends') }}
),

stale as (
    {{ mlmon.stale_windows('ends', [
        'fct_mlmon__performance', 'fct_mlmon__confusion', 'int_mlmon__reference_metrics',
        'int_mlmon__calibration_bins', 'int_mlmon__calibration_maps',
    ] + (['int_mlmon__error_models'] if mlmon.estimates_errors() else [])) }}
)

select
    stale.window_key,
    stale.fingerprint,
    ends.monitor_key,
    ends.monitor,
    ends.model_version,
    ends.window_index,
    ends.is_reference
from stale
left join ends
    on stale.window_key = ends.window_key
