-- One row per kind of measurement over spans (facts: performance, estimates or drift) and window end
-- or reference for which it is stale, or that no longer exists (fingerprint NULL). The models of
-- that kind (macros/windows/facts.sql) measure these again, and no others. window_key is that of
-- int_mlmon__spans or a reference_key. The fingerprint covers all that is measured there: for performance the windows of the longest
-- span with their labels; for estimates the windows, and the reference that scores were calibrated
-- on; for drift the windows, what they are compared with, and the thresholds. It does not cover how
-- complete labels are: no stored value depends on that. Settings that facts are judged by, such as
-- spans, are covered here and not by the fingerprints of facts: where they change, no log is read.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span
),

reference_facts as (
    select reference_facts.*
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join settings
        on reference_facts.monitor = settings.monitor
    where settings.has_labels
),

fingerprints as (
    {{ mlmon.window_fingerprints() }}
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        {{ mlmon.row_checksum(['window_key', 'label_fingerprint']) }} as label_checksum,
        {{ mlmon.row_checksum(['window_key', 'prediction_fingerprint']) }} as checksum,
        {{ mlmon.row_checksum(['window_key', 'row_fingerprint']) }} as row_checksum
    from fingerprints
    where source = 'log' and n_predictions > 0
),

span_checksums as (
    select
        spans.window_key,
        spans.monitor_key,
        spans.window_index,
        sum(windows.label_checksum) as label_checksum,
        sum(windows.checksum) as checksum,
        sum(windows.row_checksum) as row_checksum
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version in ('all', windows.model_version)
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.window_key, spans.monitor_key, spans.window_index
),

reference_checksums as (
    select
        reference_facts.reference_key,
        sum(windows.label_checksum) as label_checksum
    from reference_facts
    inner join windows
        on
            reference_facts.monitor = windows.monitor
            and windows.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', windows.model_version)
    where reference_facts.reference_kind <> 'table'
    group by reference_facts.reference_key
),

-- A reference in the log can calibrate scores once its labels are complete.
reference_ends as (
    select
        reference_facts.reference_key,
        reference_facts.is_mature,
        md5(
            reference_facts.fingerprint
            || '|' || coalesce(
                cast(reference_checksums.label_checksum as {{ dbt.type_string() }}), ''
            )
            || case when reference_facts.is_mature then '|mature' else '' end
        ) as fingerprint
    from reference_facts
    left join reference_checksums
        on reference_facts.reference_key = reference_checksums.reference_key
),

performance as (
    select
        spans.window_key,
        md5(
            coalesce(cast(span_checksums.label_checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || settings.verdict_hash
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from spans
    inner join settings
        on
            spans.monitor = settings.monitor
            and settings.has_labels
    left join span_checksums
        on spans.window_key = span_checksums.window_key

    union all

    select
        reference_key as window_key,
        fingerprint
    from reference_ends
),

-- Only of versions with a reference that can calibrate scores.
estimates as (
    select
        spans.window_key,
        md5(
            coalesce(cast(span_checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || reference_ends.fingerprint
            || '|' || settings.verdict_hash
        ) as fingerprint
    from spans
    inner join settings
        on
            spans.monitor = settings.monitor
            and settings.has_labels
            and settings.has_score
    inner join reference_ends
        on
            spans.reference_key = reference_ends.reference_key
            and reference_ends.is_mature
    left join span_checksums
        on spans.window_key = span_checksums.window_key
),

thresholds as (
    select
        coalesce(sum({{ mlmon.row_checksum([
            'monitor', 'column_role', 'column_name', 'method', 'span_windows',
            'warning', 'critical', 'is_deciding',
        ]) }}), 0) as checksum
    from {{ mlmon.seed_relation('drift_thresholds') }}
),

-- Each span of a window end may be compared with other windows; the longest has most.
compared_ends as (
    select
        window_key,
        monitor_key,
        monitor,
        window_index,
        fixed_reference_hash,
        max(n_windows) as n_windows,
        sum({{ mlmon.row_checksum(['span_windows', 'reference_hash']) }}) as reference_checksum
    from {{ ref('int_mlmon__spans') }}
    where model_version <> 'all'
    group by window_key, monitor_key, monitor, window_index, fixed_reference_hash
),

drift as (
    select
        ends.window_key,
        md5(
            coalesce(cast(span_checksums.row_checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(ends.n_windows as {{ dbt.type_string() }})
            || '|' || coalesce(ends.fixed_reference_hash, '')
            || '|' || cast(ends.reference_checksum as {{ dbt.type_string() }})
            || '|' || settings.verdict_hash
            || '|' || cast(thresholds.checksum as {{ dbt.type_string() }})
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from compared_ends as ends
    inner join settings
        on ends.monitor = settings.monitor
    left join span_checksums
        on
            ends.monitor_key = span_checksums.monitor_key
            and ends.window_index = span_checksums.window_index
    cross join thresholds
),

stale as (
    {%- for kind, models in mlmon.ends().items() %}
    select
        cast('{{ kind }}' as {{ dbt.type_string() }}) as facts,
        {{ kind }}.*
    from (
        {{- mlmon.stale_windows(kind, models) }}
    ) as {{ kind }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

-- Windows that were counted under another reference or other settings, and are not counted again by
-- this run.
uncounted as (
    select
        fingerprints.monitor,
        fingerprints.model_version,
        fingerprints.window_index
    from fingerprints
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

-- A window end keeps its drift where a window of its span, or of its moving reference, cannot be
-- counted again because the log no longer has it: its counts are in other bins than those of
-- today's reference.
reaches as (
    select
        window_key,
        monitor,
        model_version,
        first_index,
        window_index as last_index
    from {{ ref('int_mlmon__spans') }}
    where is_default_span and model_version <> 'all'

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
    on
        stale.window_key = kept.window_key
        and stale.facts = 'drift'
where kept.window_key is null
