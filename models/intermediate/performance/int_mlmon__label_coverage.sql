-- One row per monitor, version, base window and label age: which share of its predictions has a label that old,
-- and which share windows like it had. Peers are the 28 windows before it that were mature when it began to
-- wait, so a window is never part of its own expectation; fewer than 8 give none.
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

confusion_counts as (
    select
        monitor,
        model_version,
        window_index,
        label_age,
        sum(n) as n_labelled
    from {{ ref('int_mlmon__confusion_counts') }}
    where segment_name = 'all'
    group by monitor, model_version, window_index, label_age
),

labelled as (
    select * from confusion_counts
    union all
    select
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        label_age,
        sum(n_labelled) as n_labelled
    from confusion_counts
    group by monitor, window_index, label_age
),

aged as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        label_ages.label_age,
        label_ages.label_age_days,
        label_ages.is_horizon,
        settings.label_horizon_days * settings.windows_per_day as horizon_windows,
        windows.n_predictions - windows.n_errors as n_predictions,
        coalesce(labelled.n_labelled, 0) as n_labelled,
        case
            when label_ages.label_age_days is null then true
            else windows.data_through_at >= {{ mlmon.add_time(
                'windows.window_end', 'label_ages.label_age_days', 'day'
            ) }}
        end as is_complete,
        windows.data_through_at >= windows.mature_at as is_mature
    from windows
    inner join settings
        on windows.monitor = settings.monitor
    inner join label_ages
        on windows.monitor = label_ages.monitor
    left join labelled
        on
            windows.monitor = labelled.monitor
            and windows.model_version = labelled.model_version
            and windows.window_index = labelled.window_index
            and label_ages.label_age = labelled.label_age
),

covered as (
    select
        aged.*,
        cast(n_labelled as {{ mlmon.type_double() }}) / nullif(n_predictions, 0)
            as label_coverage
    from aged
),

ranked_peers as (
    select
        covered.*,
        row_number() over (
            partition by monitor, model_version, label_age
            order by window_index
        ) as filled_rank
    from covered
    where n_predictions > 0
),

-- How many filled windows lie at least a horizon before each window.
peer_ends as (
    select
        covered.monitor,
        covered.model_version,
        covered.label_age,
        covered.window_index,
        max(ranked_peers.filled_rank) as last_peer_rank
    from covered
    inner join ranked_peers
        on
            covered.monitor = ranked_peers.monitor
            and covered.model_version = ranked_peers.model_version
            and covered.label_age = ranked_peers.label_age
            and ranked_peers.window_index <= covered.window_index - covered.horizon_windows
    group by
        covered.monitor, covered.model_version, covered.label_age, covered.window_index
),

expectations as (
    select
        peer_ends.monitor,
        peer_ends.model_version,
        peer_ends.label_age,
        peer_ends.window_index,
        percentile_cont(0.5) within group (order by ranked_peers.label_coverage)
            as expected_label_coverage
    from peer_ends
    inner join ranked_peers
        on
            peer_ends.monitor = ranked_peers.monitor
            and peer_ends.model_version = ranked_peers.model_version
            and peer_ends.label_age = ranked_peers.label_age
            and ranked_peers.filled_rank
            between peer_ends.last_peer_rank - 27 and peer_ends.last_peer_rank
    group by
        peer_ends.monitor, peer_ends.model_version, peer_ends.label_age,
        peer_ends.window_index
    having count(*) >= 8
)

select
    covered.*,
    expectations.expected_label_coverage
from covered
left join expectations
    on
        covered.monitor = expectations.monitor
        and covered.model_version = expectations.model_version
        and covered.label_age = expectations.label_age
        and covered.window_index = expectations.window_index
