-- One row per window end or reference whose metrics are out of date, or that is gone (fingerprint NULL): what this run
-- measures anew. An end is a closed window of a version, or of all versions together; its fingerprint stands for all that
-- its metrics are computed from: the label facts of the windows of its longest span, and how complete their labels are.
with

spans as (
    select spans.*
    from {{ ref('int_mlmon__version_spans') }} as spans
    inner join {{ ref('int_mlmon__settings') }} as settings
        on spans.monitor = settings.monitor
    where spans.is_default_span and settings.has_labels
),

reference_facts as (
    select reference_facts.*
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join {{ ref('int_mlmon__settings') }} as settings
        on reference_facts.monitor = settings.monitor
    where settings.has_labels
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        {{ mlmon.row_checksum(['window_key', 'label_fingerprint']) }} as checksum
    from {{ ref('int_mlmon__window_fingerprints') }}
    where source = 'log' and n_predictions > 0
),

coverage as (
    select
        monitor,
        model_version,
        window_index,
        sum({{ mlmon.row_checksum([
            'series_key', 'n_predictions', 'n_labelled', 'is_complete', 'is_mature',
            'cast(floor(expected_label_coverage * 1e9) as bigint)',
        ]) }}) as checksum
    from {{ ref('int_mlmon__label_coverage') }}
    group by monitor, model_version, window_index
),

label_checksums as (
    select
        spans.monitor_key,
        spans.window_index,
        sum(windows.checksum) as checksum
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version in ('all', windows.model_version)
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.monitor_key, spans.window_index
),

coverage_checksums as (
    select
        spans.monitor_key,
        spans.window_index,
        sum(coverage.checksum) as checksum
    from spans
    inner join coverage
        on
            spans.monitor = coverage.monitor
            and spans.model_version = coverage.model_version
            and coverage.window_index between spans.first_index and spans.window_index
    group by spans.monitor_key, spans.window_index
),

reference_checksums as (
    select
        reference_facts.reference_key,
        sum(windows.checksum) as checksum
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

ends as (
    select
        md5(spans.monitor_key || '|' || cast(spans.window_index as {{ dbt.type_string() }}))
            as window_key,
        spans.monitor_key,
        spans.monitor,
        spans.window_index,
        md5(
            coalesce(cast(label_checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || coalesce(cast(coverage_checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || settings.config_hash
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from spans
    inner join {{ ref('int_mlmon__settings') }} as settings
        on spans.monitor = settings.monitor
    left join label_checksums
        on
            spans.monitor_key = label_checksums.monitor_key
            and spans.window_index = label_checksums.window_index
    left join coverage_checksums
        on
            spans.monitor_key = coverage_checksums.monitor_key
            and spans.window_index = coverage_checksums.window_index

    union all

    select
        reference_facts.reference_key as window_key,
        cast(null as {{ dbt.type_string() }}) as monitor_key,
        reference_facts.monitor,
        cast(null as bigint) as window_index,
        md5(
            reference_facts.fingerprint
            || '|' || coalesce(cast(reference_checksums.checksum as {{ dbt.type_string() }}), '')
            || case when mature.reference_key is null then '' else '|mature' end
        ) as fingerprint
    from reference_facts
    -- A reference in the log tells how to calibrate scores once its labels are complete.
    left join {{ ref('int_mlmon__mature_references') }} as mature
        on reference_facts.reference_key = mature.reference_key
    left join reference_checksums
        on reference_facts.reference_key = reference_checksums.reference_key
),

stale as (
    {{ mlmon.stale_windows('ends', [
        'fct_mlmon__performance', 'fct_mlmon__confusion', 'int_mlmon__reference_metrics',
        'int_mlmon__calibration_bins', 'int_mlmon__calibration_maps',
    ]) }}
)

select
    stale.window_key,
    stale.fingerprint,
    ends.monitor_key,
    ends.monitor,
    ends.window_index
from stale
left join ends
    on stale.window_key = ends.window_key
