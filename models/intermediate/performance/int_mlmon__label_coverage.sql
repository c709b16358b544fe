-- One row per monitor, version, base window, segment and label age: the share of labelled predictions, and the share
-- that windows like it had: the median of the last 28 peers that lie a horizon before it, so that a window is
-- never part of its own expectation; fewer than 8 give none. A window whose labels were late is no peer
-- (docs/decisions/08-peers.md).

with

shares as (
    select * from {{ ref('int_mlmon__labelled_shares') }}
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

-- The best that was usual within a year: a feed that stalls for long must not become what is usual.
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

-- Each window asks at the time a horizon before it how many peers there were; peers and questions in one order.
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
