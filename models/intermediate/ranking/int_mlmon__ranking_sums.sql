-- One row per window or reference table, segment, label age and metric of a ranking monitor: how many queries it is
-- taken over, and the sum of its values and of their squares. Merges over windows by sum, since each metric is a mean
-- over queries.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

items as (
    select * from {{ ref('int_mlmon__labelled_items') }}
),

metrics as (
    {{ mlmon.ranking_metric_settings() }}
),

-- What the first n positions weigh together.
discounts as (
    select
        positions.i as n,
        sum(
            case when positions.i > 0 then {{ mlmon.rank_discount('positions.i') }} else 0 end
        ) over (order by positions.i rows between unbounded preceding and current row) as total
    from ({{ mlmon.integers(mlmon.largest_top_k()) }}) as positions
),

list_sums as (
    {{ mlmon.list_sums('items') }}
),

cut_off_sums as (
    {{ mlmon.cut_off_sums('items', 'metrics', 'discounts') }}
)

select
    list_sums.window_key,
    list_sums.segment_name,
    list_sums.segment_value,
    list_sums.label_age,
    metrics.metric,
    cast(
        case
            when metrics.measure = 'relevant_query_rate' then list_sums.n_queries
            else list_sums.n_counted
        end as bigint
    ) as n,
    cast(
        list_sums.n_without_query
        + case
            when metrics.measure = 'relevant_query_rate' then 0
            else list_sums.n_queries - list_sums.n_counted
        end as bigint
    ) as n_excluded,
    cast(
        case metrics.measure
            when 'ndcg' then cut_off_sums.ndcg_sum
            when 'map' then cut_off_sums.map_sum
            when 'hit_rate' then cut_off_sums.n_hits
            when 'mrr' then list_sums.mrr_sum
            else list_sums.n_with_relevant
        end as {{ mlmon.type_double() }}
    ) as total,
    cast(
        case metrics.measure
            when 'ndcg' then cut_off_sums.ndcg_squares
            when 'map' then cut_off_sums.map_squares
            when 'hit_rate' then cut_off_sums.n_hits
            when 'mrr' then list_sums.mrr_squares
            else list_sums.n_with_relevant
        end as {{ mlmon.type_double() }}
    ) as squares
from list_sums
inner join metrics
    on list_sums.monitor = metrics.monitor
left join cut_off_sums
    on
        list_sums.window_key = cut_off_sums.window_key
        and list_sums.segment_name = cut_off_sums.segment_name
        and list_sums.segment_value = cut_off_sums.segment_value
        and list_sums.label_age = cut_off_sums.label_age
        and metrics.top_k = cut_off_sums.top_k
