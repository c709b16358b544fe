-- One row per window end whose associations with the label are stale, or that no longer exists
-- (fingerprint NULL). The association models compute these window ends again, and no others. The
-- fingerprint covers, at the longest span, what its windows and the reference's were counted from,
-- and whether labels are late. Associations stay as they are where a window of the span cannot be
-- counted again because the log no longer has it.
-- depends_on: {{ ref('int_mlmon__label_bin_counts') }}
{{ config(enabled=mlmon.is_asked_for('association')) }}

with

spans as (
    select
        spans.*,
        covered.readiness
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__span_coverage') }} as covered
        on
            spans.monitor_key = covered.monitor_key
            and spans.window_index = covered.window_index
            and spans.span_windows = covered.span_windows
            and covered.is_horizon
            and covered.segment_name = 'all'
    where
        spans.is_default_span
        and spans.model_version <> 'all'
        and {{ mlmon.is_of_area('association', 'spans.monitor') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

counted as (
    select
        windows.window_key,
        windows.monitor,
        windows.model_version,
        windows.window_index,
        {{ mlmon.row_checksum(['windows.window_key', 'processed.fingerprint']) }} as checksum
    from {{ ref('int_mlmon__windows') }} as windows
    inner join {{ ref('int_mlmon__processed_windows') }} as processed
        on windows.window_key = processed.window_key
    where
        windows.source = 'log'
        and windows.n_predictions > 0
        and processed.model_name = 'int_mlmon__label_bin_counts'
),

mature_references as (
    select
        mature_references.reference_key,
        sum(counted.checksum) as checksum
    from {{ ref('int_mlmon__references') }} as mature_references
    left join ({{ mlmon.reference_windows() }}) as reference_windows
        on mature_references.reference_key = reference_windows.reference_key
    left join counted
        on reference_windows.window_key = counted.window_key
    where mature_references.is_mature
    group by mature_references.reference_key
),

checksums as (
    select
        spans.window_key,
        sum(counted.checksum) as checksum
    from spans
    inner join counted
        on
            spans.monitor = counted.monitor
            and spans.model_version = counted.model_version
            and counted.window_index between spans.first_index and spans.window_index
    where spans.readiness <> 'immature'
    group by spans.window_key
),

ends as (
    select
        spans.window_key,
        md5(
            coalesce(cast(checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || spans.readiness
            || '|' || coalesce(spans.fixed_reference_hash, '')
            || '|' || case when mature_references.reference_key is null then '' else 'mature' end
            || '|' || coalesce(cast(mature_references.checksum as {{ dbt.type_string() }}), '')
            || '|' || settings.verdict_hash
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from spans
    inner join settings
        on spans.monitor = settings.monitor
    left join checksums
        on spans.window_key = checksums.window_key
    left join mature_references
        on spans.reference_key = mature_references.reference_key
),

stale as (
    {{ mlmon.stale_windows('ends', ['fct_mlmon__label_association']) }}
),

fingerprints as (
    {{ mlmon.window_fingerprints() }}
),

-- Windows that were counted, but not with today's reference and settings.
uncounted as (
    select
        fingerprints.monitor,
        fingerprints.model_version,
        fingerprints.window_index
    from fingerprints
    inner join {{ ref('int_mlmon__processed_windows') }} as processed
        on fingerprints.window_key = processed.window_key
    where
        fingerprints.n_predictions > 0
        and processed.model_name = 'int_mlmon__label_bin_counts'
        and processed.fingerprint not in (
            fingerprints.label_fingerprint,
            substr(fingerprints.label_fingerprint, 1, 32) || md5('immature')
        )
),

kept as (
    select distinct spans.window_key
    from spans
    inner join uncounted
        on
            spans.monitor = uncounted.monitor
            and spans.model_version = uncounted.model_version
            and uncounted.window_index between spans.first_index and spans.window_index
)

select stale.*
from stale
left join kept
    on stale.window_key = kept.window_key
where kept.window_key is null
