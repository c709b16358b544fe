{# What an item at a position of a ranked list weighs: 1 / log2(position + 1). #}
{% macro rank_discount(position) %}
    {%- set double = mlmon.type_double() -%}
    {{- return(
        "(ln(cast(2 as " ~ double ~ ")) / ln(cast(" ~ position ~ " + 1 as " ~ double ~ ")))"
    ) -}}
{% endmacro %}

{#
    Per window, segment and label age of labelled items: the queries with a label, those of them
    with a relevant item, labelled items without a query, and over the queries that count the reciprocal rank of the first
    relevant item. A query counts where it has a relevant item, and a score that ranks it.
#}
{% macro list_sums(items) %}
    select
        window_key,
        monitor,
        segment_name,
        segment_value,
        label_age,
        count(query_id) as n_queries,
        sum(case when query_id is not null and has_relevant then 1 else 0 end) as n_with_relevant,
        sum(case when query_id is null then n_items else 0 end) as n_without_query,
        count(reciprocal_rank) as n_counted,
        sum(reciprocal_rank) as mrr_sum,
        sum(reciprocal_rank * reciprocal_rank) as mrr_squares
    from (
        select
            window_key,
            monitor,
            segment_name,
            segment_value,
            label_age,
            query_id,
            count(*) as n_items,
            max(n_relevant) > 0 as has_relevant,
            case
                when query_id is not null
                    then 1.0 / cast(
                        min(case when relevance > 0 and n_scored > 0 then position end)
                        as {{ mlmon.type_double() }}
                    )
            end as reciprocal_rank
        from {{ items }}
        group by window_key, monitor, segment_name, segment_value, label_age, query_id
    ) as lists
    group by window_key, monitor, segment_name, segment_value, label_age
{%- endmacro %}

{#
    Per window, segment, label age and cut-off: ndcg, average precision and hits, summed over the queries that count. Items of
    equal score share the weight of their positions in ndcg, as if each order of them were as likely (McSherry and Najork
    2008). `discounts` has the weight of the first n positions together.
#}
{% macro cut_off_sums(items, metrics, discounts) %}
    select
        window_key,
        segment_name,
        segment_value,
        label_age,
        top_k,
        sum(ndcg) as ndcg_sum,
        sum(ndcg * ndcg) as ndcg_squares,
        sum(average_precision) as map_sum,
        sum(average_precision * average_precision) as map_squares,
        sum(hit) as n_hits
    from (
        select
            items.window_key,
            items.segment_name,
            items.segment_value,
            items.label_age,
            items.query_id,
            cut_offs.top_k,
            least(
                1,
                sum(items.relevance * (down_to_ties.total - above_ties.total) / items.n_tied)
                / sum(
                    case
                        when items.best_position <= cut_offs.top_k
                            then items.relevance * {{ mlmon.rank_discount('items.best_position') }}
                        else 0
                    end
                )
            ) as ndcg,
            sum(
                case
                    when items.position <= cut_offs.top_k
                        then
                            cast(items.n_relevant_so_far as {{ mlmon.type_double() }})
                            / items.position
                    else 0
                end
            ) / max(least(items.n_relevant, cut_offs.top_k)) as average_precision,
            max(case when items.position <= cut_offs.top_k then 1 else 0 end) as hit
        from {{ items }} as items
        inner join (
            select distinct
                monitor,
                top_k
            from {{ metrics }}
            where top_k is not null
        ) as cut_offs
            on items.monitor = cut_offs.monitor
        inner join {{ discounts }} as above_ties
            on above_ties.n = least(items.first_tied - 1, cut_offs.top_k)
        inner join {{ discounts }} as down_to_ties
            on down_to_ties.n = least(items.first_tied + items.n_tied - 1, cut_offs.top_k)
        where items.query_id is not null and items.n_scored > 0 and items.relevance > 0
        group by
            items.window_key, items.segment_name, items.segment_value, items.label_age,
            items.query_id, cut_offs.top_k
    ) as lists
    group by window_key, segment_name, segment_value, label_age, top_k
{%- endmacro %}
