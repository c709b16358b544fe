-- One row per window end at which versions are compared on common requests and whose comparison is
-- stale, or that no longer exists (fingerprint NULL). The models of common traffic compute these
-- window ends again, and no others. The fingerprint covers the champions and, in the longest span,
-- both windows of every request that both versions scored: the champion's may lie outside the span.
{{ config(enabled=mlmon.is_asked_for('common_traffic')) }}

with

pairs as (
    select * from ({{ mlmon.version_pairs() }}) as pairs
    where is_default_span and {{ mlmon.is_of_area('common_traffic') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

computed as (
    select
        window_key,
        fingerprint
    from {{ ref('int_mlmon__processed_windows') }}
    where model_name = 'int_mlmon__common_predictions'
),

common_windows as (
    select
        window_key,
        other_window_key,
        monitor,
        model_version,
        other_version,
        window_index
    from {{ ref('int_mlmon__common_predictions') }}
    group by
        window_key, other_window_key, monitor, model_version, other_version, window_index
),

fingerprinted as (
    select
        common_windows.*,
        {{ mlmon.row_checksum([
            'ours.window_key', 'ours.fingerprint', 'theirs.window_key', 'theirs.fingerprint',
        ]) }} as checksum
    from common_windows
    left join computed as ours
        on common_windows.window_key = ours.window_key
    left join computed as theirs
        on common_windows.other_window_key = theirs.window_key
),

pair_checksums as (
    select
        pairs.window_key,
        pairs.monitor,
        pairs.champion_version,
        sum(fingerprinted.checksum) as checksum
    from pairs
    left join fingerprinted
        on
            pairs.monitor = fingerprinted.monitor
            and pairs.model_version = fingerprinted.model_version
            and pairs.champion_version = fingerprinted.other_version
            and fingerprinted.window_index between pairs.first_index and pairs.window_index
    group by pairs.window_key, pairs.monitor, pairs.champion_version
),

end_checksums as (
    select
        window_key,
        monitor,
        sum({{ mlmon.row_checksum(['champion_version', 'checksum']) }}) as checksum
    from pair_checksums
    group by window_key, monitor
),

ends as (
    select
        end_checksums.window_key,
        md5(
            cast(end_checksums.checksum as {{ dbt.type_string() }})
            || '|' || settings.verdict_hash
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from end_checksums
    inner join settings
        on end_checksums.monitor = settings.monitor
),

stale as (
    {{ mlmon.stale_windows('ends', ['int_mlmon__common_classes', 'int_mlmon__common_scores']) }}
)

select * from stale
