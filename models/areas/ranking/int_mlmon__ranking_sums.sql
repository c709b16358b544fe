-- One row per window or reference table, segment, label age and metric of a ranking monitor: how
-- many queries it is taken over, and the sum of its values and of their squares.
-- int_mlmon__ranking_metrics is computed from it; it merges over windows by sum, since
-- each metric is a mean over queries.
{{ config(
    enabled=mlmon.is_asked_for('ranking'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}
{%- set segment_numbers = range(1, mlmon.slot_counts()['segment'] + 1) %}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and {{ mlmon.is_of_ranking('monitor') }}
),

segments as (
    {{ mlmon.segment_settings() }}
),

metrics as (
    {{ mlmon.ranking_metric_settings() }}
),

-- The items shown, with a label or not, in the windows and reference tables that are stale. Rows of
-- a table have a number in place of the request's id, and are in the window of the first item of
-- their query.
reference_rows as (
    select
        first_value(stale.window_key) over (
            partition by logged.monitor, logged.reference_version, logged.query_id
            order by stale.window_index
        ) as window_key,
        logged.monitor,
        logged.query_id,
        logged.item_id,
        {{ mlmon.nan_to_null('logged.score') }} as score,
        {{ mlmon.nan_to_null('logged.label_value') }} as label_value
        {%- for number in segment_numbers %},
        logged.segment_{{ number }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.reference_version = stale.reference_version
            and coalesce({{ mlmon.window_index('logged.predicted_at', 'logged.monitor') }}, -1)
            = stale.window_index
    where logged.query_id is not null
),

reference_items as (
    select
        reference_rows.*,
        lpad(
            cast(
                row_number() over (
                    partition by window_key
                    order by
                        {{ mlmon.byte_order('query_id') }},
                        {{ mlmon.byte_order('item_id') }},
                        score,
                        label_value
                ) as {{ dbt.type_string() }}
            ), 18, '0'
        ) as request_id
    from reference_rows
),

shown_items as (
    select
        stale.window_key,
        logged.monitor,
        logged.query_id,
        logged.item_id,
        logged.request_id,
        {{ mlmon.nan_to_null('logged.score') }} as score
        {%- for number in segment_numbers %},
        logged.segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__resolved_predictions') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.model_version = stale.model_version
            and logged.window_index = stale.window_index
    where logged.is_counting and logged.is_success

    union all

    select
        window_key,
        monitor,
        query_id,
        item_id,
        request_id,
        score
        {%- for number in segment_numbers %},
        segment_{{ number }}
        {%- endfor %}
    from reference_items
),

items as {{ mlmon.inlined() }} (
    select
        shown_items.window_key,
        shown_items.monitor,
        shown_items.query_id,
        shown_items.item_id,
        shown_items.request_id,
        shown_items.score
        {%- for number in segment_numbers %},
        {{ mlmon.resolved_segment(
            'shown_items.segment_' ~ number, 'segment_' ~ number ~ '_values'
        ) }} as segment_{{ number }}
        {%- endfor %}
    from shown_items
    {{- mlmon.segment_joins('shown_items', 'shown_items.window_key') }}
),

-- The position of each item in the list of its query, by falling score, once for all items and once
-- within each segment. Items of equal score are in the order of item_id; first_tied is the first
-- position of them.
positions as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- set all = "cast('all' as " ~ dbt.type_string() ~ ")" %}
    {%- set value = 'items.segment_' ~ number if number else all %}
    {%- set query = 'items.window_key, items.query_id' ~ (', ' ~ value if number else '') %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        items.window_key,
        items.monitor,
        items.query_id,
        items.request_id,
        {{ 'segments.segment_name' if number else all }} as segment_name,
        {{ value }} as segment_value,
        row_number() over (
            partition by {{ query }}
            order by
                items.score desc nulls last,
                {{ mlmon.byte_order('items.item_id') }} nulls last,
                {{ mlmon.byte_order('items.request_id') }}
        ) as position,
        rank() over (
            partition by {{ query }} order by items.score desc nulls last
        ) as first_tied,
        count(*) over (
            partition by {{ query }} order by items.score desc nulls last
            range between current row and current row
        ) as n_tied,
        count(items.score) over (partition by {{ query }}) as n_scored
    from items
    {%- if number %}
    inner join segments
        on
            items.monitor = segments.monitor
            and segments.segment_position = {{ number }}
    {%- endif %}
    {%- endfor %}
),

-- Labels below 0 are not relevant; numbers beyond 1e70 are no relevance.
labels as (
    select
        predictions.window_key,
        predictions.request_id,
        label_ages.label_age,
        predictions.label_value
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            predictions.monitor = label_ages.monitor
            and {{ mlmon.counts_at_age('predictions', 'label_ages.label_age_days') }}
    where {{ mlmon.is_of_ranking('predictions.monitor') }} and predictions.label_value < 1e70

    union all

    select
        window_key,
        request_id,
        cast('reference' as {{ dbt.type_string() }}) as label_age,
        label_value
    from reference_items
    where label_value < 1e70
),

graded as (
    select
        positions.*,
        labels.label_age,
        case when labels.label_value < 1e-70 then 0 else labels.label_value end as relevance
    from positions
    inner join labels
        on
            positions.window_key = labels.window_key
            and positions.request_id = labels.request_id
),

-- The position that each labelled item would have in the best order, and how many relevant items
-- there are down to it.
labelled_items as (
    select
        graded.*,
        row_number() over (
            partition by window_key, segment_name, segment_value, label_age, query_id
            order by relevance desc
        ) as best_position,
        sum(case when relevance > 0 then 1 else 0 end) over (
            partition by window_key, segment_name, segment_value, label_age, query_id
            order by position
            rows between unbounded preceding and current row
        ) as n_relevant_so_far,
        sum(case when relevance > 0 then 1 else 0 end) over (
            partition by window_key, segment_name, segment_value, label_age, query_id
        ) as n_relevant
    from graded
),

list_sums as (
    {{ mlmon.list_sums('labelled_items') }}
),

-- The weights of the first n positions together.
discounts as (
    select
        positions.i as n,
        sum(
            case when positions.i > 0 then {{ mlmon.rank_discount('positions.i') }} else 0 end
        ) over (order by positions.i rows between unbounded preceding and current row) as total
    from ({{ mlmon.integers(mlmon.largest_top_k()) }}) as positions
),

cut_off_sums as (
    {{ mlmon.cut_off_sums('labelled_items', 'metrics', 'discounts') }}
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
