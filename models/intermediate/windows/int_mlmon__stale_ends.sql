-- One row per kind of measurement over spans (facts: performance or estimates) and window end or
-- reference for which it is stale, or that no longer exists (fingerprint NULL). The models of that
-- kind measure these again, and no others. window_key is an end_key of int_mlmon__version_spans or
-- a reference_key. The fingerprint covers all that is measured there: for performance the windows
-- of the longest span with their labels; for estimates the windows, and the reference that scores
-- were calibrated on. It does not cover how complete labels are: no stored value depends on that.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    select spans.*
    from {{ ref('int_mlmon__version_spans') }} as spans
    inner join settings
        on spans.monitor = settings.monitor
    where spans.is_default_span and settings.has_labels
),

reference_facts as (
    select reference_facts.*
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join settings
        on reference_facts.monitor = settings.monitor
    where settings.has_labels
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        {{ mlmon.row_checksum(['window_key', 'label_fingerprint']) }} as label_checksum,
        {{ mlmon.row_checksum(['window_key', 'prediction_fingerprint']) }} as checksum
    from {{ ref('int_mlmon__window_fingerprints') }}
    where source = 'log' and n_predictions > 0
),

span_checksums as (
    select
        spans.end_key,
        sum(windows.label_checksum) as label_checksum,
        sum(windows.checksum) as checksum
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version in ('all', windows.model_version)
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.end_key
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
        mature.reference_key is not null as is_mature,
        md5(
            reference_facts.fingerprint
            || '|' || coalesce(
                cast(reference_checksums.label_checksum as {{ dbt.type_string() }}), ''
            )
            || case when mature.reference_key is null then '' else '|mature' end
        ) as fingerprint
    from reference_facts
    left join {{ ref('int_mlmon__mature_references') }} as mature
        on reference_facts.reference_key = mature.reference_key
    left join reference_checksums
        on reference_facts.reference_key = reference_checksums.reference_key
),

performance as (
    select
        spans.end_key as window_key,
        md5(
            coalesce(cast(span_checksums.label_checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || settings.config_hash
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from spans
    inner join settings
        on spans.monitor = settings.monitor
    left join span_checksums
        on spans.end_key = span_checksums.end_key

    union all

    select
        reference_key as window_key,
        fingerprint
    from reference_ends
),

-- Only of versions with a reference that can calibrate scores.
estimates as (
    select
        spans.end_key as window_key,
        md5(
            coalesce(cast(span_checksums.checksum as {{ dbt.type_string() }}), '')
            || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
            || '|' || reference_ends.fingerprint
        ) as fingerprint
    from spans
    inner join settings
        on
            spans.monitor = settings.monitor
            and settings.has_score
    inner join {{ ref('int_mlmon__versions') }} as versions
        on spans.monitor_key = versions.monitor_key
    inner join reference_ends
        on
            versions.reference_key = reference_ends.reference_key
            and reference_ends.is_mature
    left join span_checksums
        on spans.end_key = span_checksums.end_key
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
)

select * from stale
