-- One row per closed window of a version whose estimates are out of date, or that is gone (fingerprint NULL). There are
-- estimates where the version's reference has a calibration map; their fingerprint stands for the predictions of the longest
-- span and what the map was fitted on.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span and reference_key is not null
),

maps as (
    select distinct
        reference_key,
        fingerprint
    from {{ ref('int_mlmon__calibration_maps') }}
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        {{ mlmon.row_checksum(['window_key', 'prediction_fingerprint']) }} as checksum
    from {{ ref('int_mlmon__window_fingerprints') }}
    where source = 'log' and n_predictions > 0
),

checksums as (
    select
        spans.window_key,
        sum(windows.checksum) as checksum
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version = windows.model_version
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.window_key
),

ends as (
    select
        spans.window_key,
        spans.reference_key,
        md5(
            coalesce(cast(checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || maps.fingerprint
        ) as fingerprint
    from spans
    inner join maps
        on spans.reference_key = maps.reference_key
    left join checksums
        on spans.window_key = checksums.window_key
),

stale as (
    {{ mlmon.stale_windows('ends', ['int_mlmon__estimated_values']) }}
)

select
    stale.window_key,
    stale.fingerprint,
    ends.reference_key
from stale
left join ends
    on stale.window_key = ends.window_key
