-- One row per window end whose drift is stale, or that no longer exists (fingerprint NULL). The
-- drift models judge these window ends again, and no others. A window end keeps its verdict where a
-- window of its span, or of its moving reference, cannot be counted again because the log no longer
-- has it: its counts are in other bins than those of today's reference.
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
    where source = 'log' and n_predictions > 0
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
),

ends as (
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
),

stale as (
    {{ mlmon.stale_windows('ends', [
        'fct_mlmon__distributions', 'fct_mlmon__drift', 'fct_mlmon__column_drift',
    ] + (['fct_mlmon__multivariate_drift'] if mlmon.is_asked_for('multivariate') else [])) }}
),

-- Windows that were counted under another reference or other settings, and are not counted again by
-- this run.
uncounted as (
    select
        fingerprints.monitor,
        fingerprints.model_version,
        fingerprints.window_index
    from {{ ref('int_mlmon__window_fingerprints') }} as fingerprints
    cross join (
        select 'int_mlmon__column_counts' as model_name
        {%- if mlmon.measures_joint_drift() %}
        union all
        select 'int_mlmon__window_samples' as model_name
        {%- endif %}
    ) as facts
    left join {{ ref('int_mlmon__processed_windows') }} as processed
        on
            fingerprints.window_key = processed.window_key
            and facts.model_name = processed.model_name
    left join {{ ref('int_mlmon__stale_windows') }} as counted_now
        on
            fingerprints.window_key = counted_now.window_key
            and counted_now.facts = 'predictions'
    where
        fingerprints.source = 'log'
        and fingerprints.n_predictions > 0
        and counted_now.window_key is null
        and coalesce(processed.fingerprint, '') <> fingerprints.prediction_fingerprint
),

reaches as (
    select
        window_key,
        monitor,
        model_version,
        first_index,
        window_index as last_index
    from {{ ref('int_mlmon__spans') }}
    where is_default_span

    union all

    select
        window_key,
        monitor,
        compared_version as model_version,
        compared_first_index as first_index,
        compared_last_index as last_index
    from {{ ref('int_mlmon__spans') }}
    where compared_version is not null
),

kept as (
    select distinct reaches.window_key
    from reaches
    inner join uncounted
        on
            reaches.monitor = uncounted.monitor
            and reaches.model_version = uncounted.model_version
            and uncounted.window_index between reaches.first_index and reaches.last_index
)

select stale.*
from stale
left join kept
    on stale.window_key = kept.window_key
where kept.window_key is null
