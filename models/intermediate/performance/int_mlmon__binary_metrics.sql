-- One row per window set of a binary monitor, label age, segment and metric: its value and
-- interval. int_mlmon__metric_values gives these to the window ends that share the set. They are
-- the metrics of the confusion matrix, those of scores that are sums, and those that rank scores:
-- roc_auc, ties counting half, with DeLong's interval, and average_precision, with the logit
-- interval (Boyd, Eng and Page 2013). Both intervals use Student's t where few rows carry them:
-- roc_auc with fewer than fifty of the rarer class, then on the scale of the logit as well;
-- average_precision with fewer than fifty positives. Sorting scores is what takes time: one pass
-- over a set serves all label ages, which have numbers here (1 is `latest`).
-- A table, because one model of all tasks would be too long to read.
{{ config(enabled='binary' in mlmon.labelled_tasks()) }}
{%- set keys = ['window_set_number', 'label_age', 'segment_name', 'segment_value'] %}
{%- set numbers = mlmon.label_age_numbers() %}
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}
{%- set group = 'window_set_number, segment_position, segment_value' %}

with

sources as (
    select
        sources.*,
        settings.has_score,
        settings.has_prediction
    from {{ ref('int_mlmon__window_set_sources') }} as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task = 'binary'
),

confusion as (
    select
        sources.window_set_number,
        -- The labels of a reference that is a table are final.
        case when counts.label_age = 'reference' then 'latest' else counts.label_age end
            as label_age,
        counts.segment_name,
        counts.segment_value,
        sum(case when counts.predicted_class is null then counts.n else 0 end) as n_excluded,
        {{ mlmon.confusion_sums('counts') }}
    from sources
    inner join {{ ref('int_mlmon__confusion_counts') }} as counts
        on sources.source_key = counts.window_key
    where
        sources.has_prediction
        and (sources.has_segments or counts.segment_name = 'all')
    group by
        sources.window_set_number, counts.label_age, counts.segment_name, counts.segment_value
),

-- Scores and labels summed per score bin of the reference.
score_sums as (
    select
        sources.window_set_number,
        case when sums.label_age = 'reference' then 'latest' else sums.label_age end as label_age,
        sums.segment_name,
        sums.segment_value,
        sums.bin_index,
        cast(sum(sums.n) as bigint) as n,
        cast(sum(sums.n_positive) as bigint) as n_positive,
        sum(sums.score_sum) as score_sum,
        sum(sums.squared_sum) as squared_sum,
        sum(sums.squared_squares) as squared_squares,
        sum(sums.log_loss_sum) as log_loss_sum,
        sum(sums.log_loss_squares) as log_loss_squares
    from sources
    inner join {{ ref('int_mlmon__score_sums') }} as sums
        on sources.source_key = sums.window_key
    where sources.has_segments or sums.segment_name = 'all'
    group by
        sources.window_set_number, sums.label_age, sums.segment_name, sums.segment_value,
        sums.bin_index
),

logged as (
    select
        window_key as source_key,
        score,
        label_class,
        valid_from_microseconds,
        valid_to_microseconds
        {%- for number in segments %},
        segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__labelled_predictions') }}
),

labelled as {{ mlmon.inlined() }} (
    select
        sources.window_set_number,
        sources.has_segments,
        logged.score,
        logged.label_class
        {%- for number in segments %},
        logged.segment_{{ number }}
        {%- endfor %}
        {%- for number in numbers %},
        {{ mlmon.counts_at_numbered_age('logged', 'ages', number) }} as counts_{{ number }}
        {%- endfor %}
    from sources
    inner join ({{ mlmon.numbered_label_ages() }}) as ages
        on sources.monitor = ages.monitor
    inner join logged
        on sources.source_key = logged.source_key
    where sources.has_score
),

-- The labels at each score, per segment column; position 0 is the whole monitor.
scores as (
    {%- for position in [0] + segments %}
    {%- if position %}

    union all
    {% endif %}
    select
        window_set_number,
        cast({{ position }} as bigint) as segment_position,
        {{ 'segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        score
        {%- for number in numbers %},
        count(case when counts_{{ number }} and score is not null and label_class = '1' then 1 end)
            as n_positive_{{ number }},
        count(case when counts_{{ number }} and score is not null and label_class = '0' then 1 end)
            as n_negative_{{ number }},
        count(case when counts_{{ number }} and score is null then 1 end)
            as n_excluded_{{ number }}
        {%- endfor %}
    from labelled
    {%- if position %}
    where has_segments
    {%- endif %}
    group by window_set_number, score {{- ', segment_' ~ position if position }}
    {%- endfor %}
),

-- By falling score: how many labels have this score or a higher one.
cumulated as (
    select
        scores.*
        {%- for number in numbers %},
        cast(sum(n_positive_{{ number }}) over falling as {{ mlmon.type_double() }})
            as true_positives_{{ number }},
        cast(sum(n_negative_{{ number }}) over falling as {{ mlmon.type_double() }})
            as false_positives_{{ number }}
        {%- endfor %}
    from scores
    window falling as (
        partition by {{ group }}
        order by score desc nulls last
        rows between unbounded preceding and current row
    )
),

-- Those at the score itself count half among the labels above it.
rank_sums as (
    select
        {{ group }}
        {%- for number in numbers %}
        {%- set above = '(false_positives_%s - 0.5 * n_negative_%s)' % (number, number) %}
        {%- set beyond = '(true_positives_%s - 0.5 * n_positive_%s)' % (number, number) %},
        sum(n_positive_{{ number }}) as n_positive_{{ number }},
        sum(n_negative_{{ number }}) as n_negative_{{ number }},
        sum(n_excluded_{{ number }}) as n_excluded_{{ number }},
        sum(n_positive_{{ number }} * {{ above }}) as negatives_above_{{ number }},
        sum(n_positive_{{ number }} * {{ above }} * {{ above }})
            as negatives_above_squares_{{ number }},
        sum(n_negative_{{ number }} * {{ beyond }} * {{ beyond }})
            as positives_above_squares_{{ number }},
        sum(
            n_positive_{{ number }} * true_positives_{{ number }}
            / nullif(true_positives_{{ number }} + false_positives_{{ number }}, 0)
        ) as precision_sum_{{ number }}
        {%- endfor %}
    from cumulated
    group by {{ group }}
),

aged_ranks as (
    {%- for number in numbers %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ group }},
        {{ number }} as age_number
        {%- for sum_name in [
            'n_positive', 'n_negative', 'n_excluded', 'negatives_above',
            'negatives_above_squares', 'positives_above_squares', 'precision_sum',
        ] %},
        cast({{ sum_name }}_{{ number }} as {{ mlmon.type_double() }}) as {{ sum_name }}
        {%- endfor %}
    from rank_sums
    where n_positive_{{ number }} + n_negative_{{ number }} + n_excluded_{{ number }} > 0
    {%- endfor %}
),

-- DeLong's components: of each positive the share of negatives below it, of each negative the share
-- of positives above it.
components as (
    select
        aged_ranks.*,
        1 - negatives_above / nullif(n_positive, 0) / nullif(n_negative, 0) as value,
        precision_sum / nullif(n_positive, 0) as average_precision,
        negatives_above_squares / nullif(n_negative, 0) / nullif(n_negative, 0)
            as positive_squares,
        positives_above_squares / nullif(n_positive, 0) / nullif(n_positive, 0)
            as negative_squares
    from aged_ranks
),

varied as (
    select
        components.*,
        case
            when n_positive > 1 and n_negative > 1
                then
                    greatest(0, positive_squares - n_positive * (1 - value) * (1 - value))
                    / (n_positive - 1) / n_positive
                    + greatest(0, negative_squares - n_negative * value * value)
                    / (n_negative - 1) / n_negative
        end as variance,
        least(n_positive, n_negative) as n_rarest,
        case
            when average_precision > 0 and average_precision < 1
                -- Beyond 600 the bounds are 0 and 1, and exp overflows.
                then
                    least(
                        {{ mlmon.quantile_of('n_positive') }}
                        / sqrt(n_positive * average_precision * (1 - average_precision)),
                        600
                    )
        end as logit_width
    from components
),

ranks as (
    select
        varied.*,
        ages.label_age,
        coalesce(segments.segment_name, 'all') as segment_name
    from varied
    inner join (
        select distinct
            window_set_number,
            monitor
        from sources
    ) as window_sets
        on varied.window_set_number = window_sets.window_set_number
    inner join ({{ mlmon.label_ages_by_number() }}) as ages
        on
            window_sets.monitor = ages.monitor
            and varied.age_number = ages.age_number
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            window_sets.monitor = segments.monitor
            and varied.segment_position = segments.segment_position
    where varied.segment_position = 0 or segments.segment_name is not null
),

score_metrics as (
    {{ mlmon.score_metrics('score_sums', keys) }}
)

{{ mlmon.binary_metrics('confusion', keys) }}

union all

select * from score_metrics

union all

select
    {{ keys | join(', ') }},
    cast('roc_auc' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    value,
    interval_variance as variance,
    cast(n_positive + n_negative as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    value_low,
    value_high,
    interval_method
from ({{ mlmon.rank_intervals('ranks', 'n_rarest < 50') }}) as bounded

union all

select
    {{ keys | join(', ') }},
    cast('average_precision' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    average_precision as value,
    average_precision * (1 - average_precision) / nullif(n_positive, 0) as variance,
    cast(n_positive + n_negative as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    1 / (1 + (1 - average_precision) / average_precision * exp(logit_width))
        as value_low,
    1 / (1 + (1 - average_precision) / average_precision * exp(-logit_width))
        as value_high,
    cast('logit' as {{ dbt.type_string() }}) as interval_method
from ranks
