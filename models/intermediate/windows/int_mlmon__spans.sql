-- One row per closed window and span that ends with it: the last n base windows, and how many of them exist. A
-- span is judged from half its windows on. The verdict span is the longest whose length the reference has at least
-- eight times, so that it tells how much a column varies by itself; else the longest.
with

spine as (
    select * from {{ ref('int_mlmon__spine') }}
    where is_closed
),

spans as (
    {{ mlmon.span_settings() }}
),

moving_references as (
    select * from {{ ref('int_mlmon__moving_references') }}
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
    inner join {{ ref('int_mlmon__settings') }} as settings
        on reference_facts.monitor = settings.monitor
    group by reference_facts.reference_key
),

ends as (
    select
        spine.*,
        spine.window_index - spans.span_windows + 1 as first_index,
        spans.span_windows,
        spans.span_windows = longest_spans.default_span_windows as is_default_span,
        spans.span_windows
        = coalesce(verdict_spans.span_windows, longest_spans.default_span_windows) as is_verdict
    from spine
    inner join spans
        on spine.monitor = spans.monitor
    inner join longest_spans
        on spine.monitor = longest_spans.monitor
    left join verdict_spans
        on spine.reference_key = verdict_spans.reference_key
),

existing as (
    select
        ends.window_key,
        ends.span_windows,
        count(*) as n_windows
    from ends
    inner join spine
        on
            ends.monitor = spine.monitor
            and ends.model_version = spine.model_version
            and spine.window_index between ends.first_index and ends.window_index
    group by ends.window_key, ends.span_windows
)

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
    -- Labels and joint drift are compared with the reference's own rows, also where columns have a moving one.
    ends.reference_hash as fixed_reference_hash,
    case
        when moving_references.window_key is null then ends.n_reference
        else moving_references.n_reference
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
