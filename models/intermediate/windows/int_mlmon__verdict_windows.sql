-- One row per closed window: the fingerprint of all that the verdicts ending with it are made from, which is the
-- base windows of its longest span, the bins they are counted in, the references of all its spans, the
-- configuration and the threshold seeds.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span
),

windows as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        {{ mlmon.row_checksum(['window_key', 'prediction_fingerprint']) }} as checksum
    from {{ ref('int_mlmon__windows') }} as windows
    where n_predictions > 0
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

thresholds as (
    select
        coalesce(sum({{ mlmon.row_checksum([
            'monitor', 'column_role', 'column_name', 'method', 'span_windows',
            'warning', 'critical', 'is_deciding',
        ]) }}), 0) as checksum
    from {{ mlmon.seed_relation('drift_thresholds') }}
),

reference_hashes as (
    select
        window_key,
        sum({{ mlmon.row_checksum(['span_windows', 'reference_hash']) }}) as checksum
    from {{ ref('int_mlmon__spans') }}
    group by window_key
),

checksums as (
    select
        spans.window_key,
        sum(windows.checksum) as checksum
    from spans
    left join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version = windows.model_version
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.window_key
)

select
    spans.window_key,
    md5(
        coalesce(cast(checksums.checksum as {{ dbt.type_string() }}), '')
        || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
        || '|' || coalesce(spine.reference_hash, '')
        || '|' || cast(reference_hashes.checksum as {{ dbt.type_string() }})
        || '|' || settings.config_hash
        || '|' || cast(thresholds.checksum as {{ dbt.type_string() }})
        || '|{{ mlmon.facts_version() }}'
    ) as fingerprint
from spans
inner join checksums
    on spans.window_key = checksums.window_key
inner join {{ ref('int_mlmon__spine') }} as spine
    on spans.window_key = spine.window_key
inner join reference_hashes
    on spans.window_key = reference_hashes.window_key
inner join settings
    on spans.monitor = settings.monitor
cross join thresholds
