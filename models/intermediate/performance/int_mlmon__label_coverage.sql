-- One row per monitor, version ('all' for all versions together), base window, segment and label
-- age: the share of its predictions that have a label that old, and the share that windows like it
-- had. From it spans know whether their labels are complete or late. The expected share is the
-- median of the last 28 peers that lie a horizon before the window, so that a window is never part
-- of its own expectation; fewer than 8 give none. A window whose labels were late is no peer
-- (docs/decisions/08-peers.md).

with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where has_labels
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

requests as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        requests.segment_name,
        requests.segment_value,
        sum(requests.n_requests - requests.n_errors) as n_predictions
    from windows
    inner join {{ ref('int_mlmon__operation_sums') }} as requests
        on
            windows.monitor = requests.monitor
            and windows.model_version in ('all', requests.model_version)
            and windows.window_index = requests.window_index
    where requests.segment_name <> 'all'
    group by
        windows.monitor, windows.model_version, windows.window_index,
        requests.segment_name, requests.segment_value

    union all

    select
        monitor,
        model_version,
        window_index,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        n_predictions - n_errors as n_predictions
    from windows
),

counts as (
    select
        monitor,
        model_version,
        window_index,
        segment_name,
        segment_value,
        label_age_days,
        sum(n) as n,
        sum(n_early) as n_early,
        sum(n_conflicts) as n_conflicts
    from {{ ref('int_mlmon__label_counts') }}
    where monitor is not null
    group by
        monitor, model_version, window_index, segment_name, segment_value, label_age_days
),

labelled as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        counts.segment_name,
        counts.segment_value,
        label_ages.label_age,
        sum(counts.n) as n_labelled,
        sum(counts.n_early) as n_early_labels,
        sum(counts.n_conflicts) as n_label_revisions
    from windows
    inner join counts
        on
            windows.monitor = counts.monitor
            and windows.model_version in ('all', counts.model_version)
            and windows.window_index = counts.window_index
    inner join label_ages
        on
            windows.monitor = label_ages.monitor
            and {{ mlmon.counts_by_age('counts', 'label_ages.label_age_days') }}
    group by
        windows.monitor, windows.model_version, windows.window_index,
        counts.segment_name, counts.segment_value, label_ages.label_age
),

-- Windows without predictions have a row for the whole monitor only.
shares as (
    select
        md5(
            requests.monitor || '|' || requests.model_version || '|' || requests.segment_name
            || '|' || requests.segment_value || '|' || label_ages.label_age
        ) as series_key,
        requests.monitor,
        requests.model_version,
        requests.window_index,
        requests.segment_name,
        requests.segment_value,
        label_ages.label_age,
        label_ages.label_age_days,
        label_ages.is_horizon,
        settings.windows_per_day,
        settings.label_horizon_days * settings.windows_per_day as horizon_windows,
        requests.n_predictions,
        coalesce(labelled.n_labelled, 0) as n_labelled,
        coalesce(labelled.n_early_labels, 0) as n_early_labels,
        coalesce(labelled.n_label_revisions, 0) as n_label_revisions,
        cast(coalesce(labelled.n_labelled, 0) as {{ mlmon.type_double() }})
        / nullif(requests.n_predictions, 0) as label_coverage,
        case
            when label_ages.label_age_days is null then true
            else windows.data_through_at >= {{ mlmon.add_time(
                'windows.window_end', 'label_ages.label_age_days', 'day'
            ) }}
        end as is_complete,
        windows.data_through_at >= windows.mature_at as is_mature
    from requests
    inner join windows
        on
            requests.monitor = windows.monitor
            and requests.model_version = windows.model_version
            and requests.window_index = windows.window_index
    inner join settings
        on requests.monitor = settings.monitor
    inner join label_ages
        on requests.monitor = label_ages.monitor
    left join labelled
        on
            requests.monitor = labelled.monitor
            and requests.model_version = labelled.model_version
            and requests.window_index = labelled.window_index
            and requests.segment_name = labelled.segment_name
            and requests.segment_value = labelled.segment_value
            and label_ages.label_age = labelled.label_age
),

filled as (
    select
        shares.*,
        row_number() over (
            partition by series_key order by window_index
        ) as filled_rank
    from shares
    where n_predictions > 0
),

-- What was usual before each window, whether or not labels were late then.
usual as (
    select
        filled.series_key,
        filled.filled_rank,
        percentile_cont(0.5) within group (order by earlier.label_coverage) as usual_coverage
    from filled
    inner join filled as earlier
        on
            filled.series_key = earlier.series_key
            and earlier.filled_rank
            between filled.filled_rank - 28 and filled.filled_rank - 1
    group by filled.series_key, filled.filled_rank
    having count(*) >= 8
),

-- The best that was usual within a year: if labels stall for long, that must not become what is
-- usual.
gated as (
    select
        filled.*,
        case
            when filled.windows_per_day = 1 then max(usual.usual_coverage) over (
                partition by filled.series_key
                order by filled.filled_rank
                rows between 364 preceding and current row
            )
            else max(usual.usual_coverage) over (
                partition by filled.series_key
                order by filled.filled_rank
                rows between 8759 preceding and current row
            )
        end as gate
    from filled
    left join usual
        on
            filled.series_key = usual.series_key
            and filled.filled_rank = usual.filled_rank
),

peers as (
    select
        gated.*,
        row_number() over (
            partition by series_key order by window_index
        ) as peer_rank
    from gated
    where gate is null or {{ mlmon.reaches('label_coverage', 'gate - 0.05') }}
),

-- The peers that there were a horizon before each window: peers and windows are put in one order,
-- and each window takes the newest peer before it.
asked as (
    select
        series_key,
        window_index,
        window_index as at_index,
        peer_rank,
        false as is_question
    from peers

    union all

    select
        series_key,
        window_index,
        window_index - horizon_windows as at_index,
        null as peer_rank,
        true as is_question
    from shares
),

answered as (
    select
        asked.*,
        max(peer_rank) over (
            partition by series_key order by at_index
            range between unbounded preceding and current row
        ) as last_peer_rank
    from asked
),

peer_ends as (
    select * from answered
    where is_question and last_peer_rank is not null
),

expectations as (
    select
        peer_ends.series_key,
        peer_ends.window_index,
        percentile_cont(0.5) within group (order by peers.label_coverage)
            as expected_label_coverage
    from peer_ends
    inner join peers
        on
            peer_ends.series_key = peers.series_key
            and peers.peer_rank
            between peer_ends.last_peer_rank - 27 and peer_ends.last_peer_rank
    group by peer_ends.series_key, peer_ends.window_index
    having count(*) >= 8
)

select
    shares.*,
    expectations.expected_label_coverage
from shares
left join expectations
    on
        shares.series_key = expectations.series_key
        and shares.window_index = expectations.window_index
