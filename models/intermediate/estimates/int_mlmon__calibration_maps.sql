-- One row per reference and interval of its calibration map, which gives each score the probability
-- of a positive label. It is linear between a knot and the next, and flat beyond the last and, as
-- interval 0, before the first. The map is the isotonic regression of the reference's labels at the
-- horizon on their scores: of all maps that never fall, the one with the least squared error. It is
-- fitted once all labels of the reference can have come.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}
{%- set rounds = 10 %}

with

mature as (
    select
        window_sets.window_set_number,
        window_sets.reference_key,
        settings.label_horizon_days
    from {{ ref('int_mlmon__window_sets') }} as window_sets
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            window_sets.reference_key = reference_facts.reference_key
            and reference_facts.is_mature
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            window_sets.monitor = settings.monitor
            and settings.has_score
),

labelled as (
    select
        window_key as source_key,
        prediction_class,
        {{ mlmon.probable_score('score') }} as score,
        label_class,
        valid_from_microseconds,
        valid_to_microseconds
    from {{ ref('int_mlmon__labelled_predictions') }}
),

scores as (
    select
        mature.reference_key,
        labelled.score,
        count(*) as n,
        sum(case when labelled.label_class = '1' then 1 else 0 end) as n_positive,
        sum(case when labelled.prediction_class = '1' then 1 else 0 end) as n_predicted,
        sum(case when labelled.prediction_class <> '1' then 1 else 0 end) as n_predicted_other
    from mature
    inner join ({{ mlmon.window_set_sources() }}) as sources
        on mature.window_set_number = sources.window_set_number
    inner join labelled
        on sources.source_key = labelled.source_key
    where
        labelled.label_class is not null
        and {{ mlmon.counts_at_age('labelled', 'mature.label_horizon_days') }}
        and labelled.score is not null
    group by mature.reference_key, labelled.score
),

-- A reference without predictions counts as a whole.
sizes as (
    select
        reference_key,
        sum(n) as n_reference,
        case when sum(n_predicted + n_predicted_other) > 0 then sum(n_predicted) else sum(n) end
            as n_predicted,
        case
            when sum(n_predicted + n_predicted_other) > 0 then sum(n_predicted_other)
            else sum(n)
        end as n_predicted_other
    from scores
    group by reference_key
),

-- Scores whose share of positives is no higher than that of the scores below them have the same
-- probability as these in the end. Pooling them, in rounds, leaves few blocks of scores; what the
-- rounds have not pooled is for the exact formula that follows them.
pooled_0 as (
    select
        reference_key,
        score as first_score,
        score as last_score,
        cast(n as {{ mlmon.type_double() }}) as n,
        cast(n_positive as {{ mlmon.type_double() }}) as n_positive
    from scores
),

{% for round in range(1, rounds + 1) -%}
pooled_{{ round }} as (
    select
        reference_key,
        min(first_score) as first_score,
        max(last_score) as last_score,
        sum(n) as n,
        sum(n_positive) as n_positive
    from (
        select
            rising.*,
            sum(is_higher) over (
                partition by reference_key order by first_score
                rows between unbounded preceding and current row
            ) as block
        from (
            select
                pooled_{{ round - 1 }}.*,
                case
                    when
                        n_positive / n > lag(n_positive / n) over (
                            partition by reference_key order by first_score
                        )
                        then 1
                    else 0
                end as is_higher
            from pooled_{{ round - 1 }}
        ) as rising
    ) as numbered
    group by reference_key, block
),

{% endfor -%}
blocks as (
    select
        pooled_{{ rounds }}.*,
        sum(n) over rising as n_through,
        sum(n_positive) over rising as positive_through
    from pooled_{{ rounds }}
    window rising as (
        partition by reference_key order by first_score
        rows between unbounded preceding and current row
    )
),

-- The probability of a block is the greatest, over all blocks from which a stretch to it may begin,
-- of the least share of positives of any stretch from there to it or beyond (Barlow et al. 1972).
stretches as (
    select
        last_blocks.*,
        min(
            (last_blocks.positive_through - first_blocks.positive_through + first_blocks.n_positive)
            / (last_blocks.n_through - first_blocks.n_through + first_blocks.n)
        ) over (
            partition by first_blocks.reference_key, first_blocks.first_score
            order by last_blocks.first_score desc
            rows between unbounded preceding and current row
        ) as least_share
    from blocks as first_blocks
    inner join blocks as last_blocks
        on
            first_blocks.reference_key = last_blocks.reference_key
            and first_blocks.first_score <= last_blocks.first_score
),

fitted as (
    select
        reference_key,
        first_score,
        last_score,
        max(least_share) as probability
    from stretches
    group by reference_key, first_score, last_score
),

-- A block is told by its ends.
knots as (
    select
        ends.reference_key,
        ends.score,
        ends.probability,
        sizes.n_reference,
        sizes.n_predicted,
        sizes.n_predicted_other,
        row_number() over by_score as knot_number,
        lead(ends.score) over by_score as next_score,
        lead(ends.probability) over by_score as next_probability
    from (
        select
            reference_key,
            first_score as score,
            probability
        from fitted

        union

        select
            reference_key,
            last_score as score,
            probability
        from fitted
    ) as ends
    inner join sizes
        on ends.reference_key = sizes.reference_key
    window by_score as (partition by ends.reference_key order by ends.score)
)

{% for condition in ['true', 'knot_number = 1'] -%}
{%- set is_before = not loop.first -%}
select
    reference_key as window_key,
    reference_key,
    cast({{ '0' if is_before else 'knot_number' }} as bigint) as knot_number,
    score,
    probability,
    {% if is_before %}0{% else %}coalesce(
        (next_probability - probability) / nullif(next_score - score, 0), 0
    ){% endif %} as slope,
    cast(n_reference as bigint) as n_reference,
    cast(n_predicted as bigint) as n_predicted,
    cast(n_predicted_other as bigint) as n_predicted_other
from knots
where {{ condition }}
{%- if not loop.last %}

union all

{% endif %}
{%- endfor %}
