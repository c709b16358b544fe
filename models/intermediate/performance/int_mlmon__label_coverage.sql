-- One row per monitor, version, base window, segment and label age: the share of labelled predictions, and the share
-- that windows like it had: the median of the last 28 peers that lie a horizon before it, so that a window is
-- never part of its own expectation; fewer than 8 give none. A window whose labels were late is no peer
-- (docs/decisions/08-peers.md).
{%- set series = ['monitor', 'model_version', 'segment_name', 'segment_value', 'label_age'] %}

with

shares as (
    select * from {{ ref('int_mlmon__labelled_shares') }}
),

filled as (
    select
        shares.*,
        row_number() over (
            partition by {{ series | join(', ') }} order by window_index
        ) as filled_rank
    from shares
    where n_predictions > 0
),

-- What was usual before each window, whether or not labels were late then.
usual as (
    select
        {% for column in series %}filled.{{ column }}, {% endfor %}
        filled.filled_rank,
        percentile_cont(0.5) within group (order by earlier.label_coverage) as usual_coverage
    from filled
    inner join filled as earlier
        on
            {% for column in series %}filled.{{ column }} = earlier.{{ column }}
            and {% endfor %}earlier.filled_rank
            between filled.filled_rank - 28 and filled.filled_rank - 1
    group by {% for column in series %}filled.{{ column }}, {% endfor %}filled.filled_rank
    having count(*) >= 8
),

-- The best that was usual within a year: a feed that stalls for long must not become what is usual.
gated as (
    select
        filled.*,
        case
            when filled.windows_per_day = 1 then max(usual.usual_coverage) over (
                partition by {% for column in series %}filled.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
                order by filled.filled_rank
                rows between 364 preceding and current row
            )
            else max(usual.usual_coverage) over (
                partition by {% for column in series %}filled.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
                order by filled.filled_rank
                rows between 8759 preceding and current row
            )
        end as gate
    from filled
    left join usual
        on
            {% for column in series %}filled.{{ column }} = usual.{{ column }}
            and {% endfor %}filled.filled_rank = usual.filled_rank
),

peers as (
    select
        gated.*,
        row_number() over (
            partition by {{ series | join(', ') }} order by window_index
        ) as peer_rank
    from gated
    where gate is null or {{ mlmon.reaches('label_coverage', 'gate - 0.05') }}
),

-- How many peers lie at least a horizon before each window.
peer_ends as (
    select
        {% for column in series %}shares.{{ column }}, {% endfor %}
        shares.window_index,
        max(peers.peer_rank) as last_peer_rank
    from shares
    inner join peers
        on
            {% for column in series %}shares.{{ column }} = peers.{{ column }}
            and {% endfor %}peers.window_index <= shares.window_index - shares.horizon_windows
    group by {% for column in series %}shares.{{ column }}, {% endfor %}shares.window_index
),

expectations as (
    select
        {% for column in series %}peer_ends.{{ column }}, {% endfor %}
        peer_ends.window_index,
        percentile_cont(0.5) within group (order by peers.label_coverage)
            as expected_label_coverage
    from peer_ends
    inner join peers
        on
            {% for column in series %}peer_ends.{{ column }} = peers.{{ column }}
            and {% endfor %}peers.peer_rank
            between peer_ends.last_peer_rank - 27 and peer_ends.last_peer_rank
    group by {% for column in series %}peer_ends.{{ column }}, {% endfor %}peer_ends.window_index
    having count(*) >= 8
)

select
    shares.*,
    expectations.expected_label_coverage
from shares
left join expectations
    on
        {% for column in series %}shares.{{ column }} = expectations.{{ column }}
        and {% endfor %}shares.window_index = expectations.window_index
