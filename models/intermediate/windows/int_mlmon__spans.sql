-- One row per monitor, version ('all' for all versions together), closed window and span that ends
-- with it: the last n base windows, how many of them exist, and what they are compared with. All
-- that is measured over spans takes its windows from here. A span is judged (is_judged) if at least
-- half of its windows exist: of seven days at least four. The verdict span (is_verdict) is the
-- longest one that fits into the reference at least eight times, so that the reference shows how
-- much a column varies by itself; it is the longest of all where none fits or thresholds are fixed.
-- All spans of a window end have the same window_key, that of their last base window. All versions
-- together are compared with nothing, so they have no reference and no verdict span.
{%- set text = dbt.type_string() %}

with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where model_version <> 'all' and is_closed
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    {{ mlmon.span_settings() }}
),

longest_spans as (
    select
        monitor,
        max(span_windows) as default_span_windows
    from spans
    group by monitor
),

verdict_spans as (
    select
        reference_facts.reference_key,
        max(
            case
                when
                    settings.threshold_policy <> 'fixed'
                    and reference_facts.last_index - reference_facts.first_index + 1
                    >= 8 * spans.span_windows
                    then spans.span_windows
            end
        ) as span_windows
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join spans
        on reference_facts.monitor = spans.monitor
    inner join settings
        on reference_facts.monitor = settings.monitor
    group by reference_facts.reference_key
),

ends as (
    select
        windows.*,
        windows.window_index - spans.span_windows + 1 as first_index,
        spans.span_windows,
        spans.span_windows = longest_spans.default_span_windows as is_default_span,
        spans.span_windows
        = coalesce(verdict_spans.span_windows, longest_spans.default_span_windows) as is_verdict
    from windows
    inner join spans
        on windows.monitor = spans.monitor
    inner join longest_spans
        on windows.monitor = longest_spans.monitor
    left join verdict_spans
        on windows.reference_key = verdict_spans.reference_key
),

existing as (
    select
        ends.window_key,
        ends.span_windows,
        count(*) as n_windows
    from ends
    inner join windows
        on
            ends.monitor = windows.monitor
            and ends.model_version = windows.model_version
            and windows.window_index between ends.first_index and ends.window_index
    group by ends.window_key, ends.span_windows
),

-- Where a reference moves: the windows that a span is compared with. They lie before it or, where
-- versions are compared, at the same time in another version. The version that the others are
-- compared with is itself compared with the fixed reference.
moving_ranges as (
    select
        ends.window_key,
        ends.span_windows,
        ends.monitor,
        ends.reference_key,
        ends.reference_hash,
        settings.compared_with,
        coalesce(settings.compared_version, ends.model_version) as compared_version,
        ends.window_index - case settings.compared_with
            when 'rolling' then ends.span_windows + settings.rolling_windows
            when 'previous_span' then 2 * ends.span_windows
            else ends.span_windows
        end + 1 as compared_first_index,
        ends.window_index - case
            when settings.compared_with = 'version' then 0
            else ends.span_windows
        end as compared_last_index
    from ends
    inner join settings
        on ends.monitor = settings.monitor
    where
        settings.compared_with <> 'reference'
        and ends.model_version <> coalesce(settings.compared_version, '')
),

existing_windows as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        windows.reference_key,
        ledger.n_predictions - ledger.n_errors as n_reference,
        case
            when ledger.window_key is not null
                then {{ mlmon.portable_checksum([
                    'ledger.window_key', 'ledger.prediction_fingerprint',
                ]) }}
        end as checksum
    from windows
    left join {{ ref('int_mlmon__windows') }} as ledger
        on
            windows.window_key = ledger.window_key
            and ledger.n_predictions > 0
),

moving_counts as (
    select
        moving_ranges.window_key,
        moving_ranges.span_windows,
        count(*) as n_windows,
        sum(existing_windows.n_reference) as n_reference,
        sum(existing_windows.checksum) as checksum
    from moving_ranges
    inner join existing_windows
        on
            moving_ranges.monitor = existing_windows.monitor
            and moving_ranges.compared_version = existing_windows.model_version
            and moving_ranges.reference_key = existing_windows.reference_key
            and existing_windows.window_index
            between moving_ranges.compared_first_index and moving_ranges.compared_last_index
    group by moving_ranges.window_key, moving_ranges.span_windows
),

-- They are the span's reference if at least half of them exist, counted in the same bins; else the
-- span has no reference, and the columns that describe it are NULL.
moving_references as (
    select
        moving_ranges.window_key,
        moving_ranges.span_windows,
        moving_ranges.compared_with,
        moving_counts.n_reference,
        case
            when moving_counts.window_key is not null
                then md5(
                    moving_ranges.reference_hash
                    || '|' || cast(moving_counts.checksum as {{ dbt.type_string() }})
                )
        end as reference_hash,
        case when moving_counts.window_key is not null then moving_ranges.compared_version end
            as compared_version,
        case when moving_counts.window_key is not null then moving_ranges.compared_first_index end
            as compared_first_index,
        case when moving_counts.window_key is not null then moving_ranges.compared_last_index end
            as compared_last_index
    from moving_ranges
    left join moving_counts
        on
            moving_ranges.window_key = moving_counts.window_key
            and moving_ranges.span_windows = moving_counts.span_windows
            and moving_counts.n_reference > 0
            and 2 * moving_counts.n_windows
            >= moving_ranges.compared_last_index - moving_ranges.compared_first_index + 1
),

by_version as (
    select
        ends.window_key,
        ends.monitor_key,
        ends.monitor,
        ends.model_version,
        ends.window_index,
        ends.first_index,
        {{ mlmon.window_start('ends.first_index', 'ends.monitor') }} as window_start,
        ends.window_end,
        ends.window_date,
        ends.span_windows,
        ends.is_default_span,
        ends.is_verdict,
        ends.is_current_version,
        ends.reference_key,
        case
            when moving_references.window_key is null then ends.reference_hash
            else moving_references.reference_hash
        end as reference_hash,
        -- Labels and joint drift are compared with the fixed reference, also where columns have a
        -- moving one.
        ends.reference_hash as fixed_reference_hash,
        case
            when moving_references.window_key is null then ends.n_reference
            else cast(moving_references.n_reference as bigint)
        end as n_reference,
        coalesce(moving_references.compared_with, 'reference') as compared_with,
        moving_references.compared_version,
        moving_references.compared_first_index,
        moving_references.compared_last_index,
        existing.n_windows,
        2 * existing.n_windows >= ends.span_windows as is_judged
    from ends
    inner join existing
        on
            ends.window_key = existing.window_key
            and ends.span_windows = existing.span_windows
    left join moving_references
        on
            ends.window_key = moving_references.window_key
            and ends.span_windows = moving_references.span_windows
),

all_versions as (
    select
        {{ mlmon.window_key(
            'monitor', "'all'", mlmon.window_start('window_index', 'monitor')
        ) }} as window_key,
        {{ mlmon.monitor_key('monitor', "'all'") }} as monitor_key,
        monitor,
        cast('all' as {{ text }}) as model_version,
        window_index,
        first_index,
        min(window_start) as window_start,
        min(window_end) as window_end,
        min(window_date) as window_date,
        span_windows,
        is_default_span,
        false as is_verdict,
        false as is_current_version,
        cast(null as {{ text }}) as reference_key,
        cast(null as {{ text }}) as reference_hash,
        cast(null as {{ text }}) as fixed_reference_hash,
        cast(null as bigint) as n_reference,
        cast(null as {{ text }}) as compared_with,
        cast(null as {{ text }}) as compared_version,
        cast(null as bigint) as compared_first_index,
        cast(null as bigint) as compared_last_index,
        max(n_windows) as n_windows,
        bool_or(is_judged) as is_judged
    from by_version
    group by monitor, window_index, first_index, span_windows, is_default_span
)

select * from by_version
union all
select * from all_versions
