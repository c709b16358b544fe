-- One row per window end or reference of a binary monitor, span, segment, label age and metric: its
-- value and interval. They are the metrics of the confusion matrix, those of scores that are sums,
-- and those that rank scores. All are made of the label counts of a window set, added up by score
-- cell, and given to the window ends that share the set.
{{ config(
    enabled='binary' in mlmon.labelled_tasks(),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}
{%- set keys = ['window_set_number', 'segment_name', 'segment_value'] %}

with

sources as (
    select
        sources.*,
        settings.has_score,
        settings.has_prediction
    from ({{ mlmon.window_set_sources() }}) as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task = 'binary'
),

-- A label that was corrected counts 0: once for what it was, once against it.
cells as (
    select
        sources.window_set_number,
        counts.segment_name,
        counts.segment_value,
        sources.has_score,
        sources.has_prediction,
        counts.bin_index,
        counts.cell,
        cast(sum(counts.n) as bigint) as n,
        sum(case when counts.label_class = '1' then counts.n else 0 end) as n_positive,
        sum(case when counts.label_class = '0' then counts.n else 0 end) as n_negative,
        sum(case when counts.predicted_class is null then counts.n else 0 end) as n_unpredicted,
        {{ mlmon.confusion_sums('counts') }},
        {%- for name, label in {'positive': '1', 'negative': '0'}.items() %}
        min(case when counts.label_class = '{{ label }}' then counts.value_min end)
            as {{ name }}_min,
        max(case when counts.label_class = '{{ label }}' then counts.value_max end)
            as {{ name }}_max,
        {%- endfor %}
        sum(counts.score_sum) as score_sum,
        sum(counts.squared_sum) as squared_sum,
        sum(counts.squared_squares) as squared_squares,
        sum(counts.log_loss_sum) as log_loss_sum,
        sum(counts.log_loss_squares) as log_loss_squares
    from sources
    inner join {{ ref('int_mlmon__label_counts') }} as counts
        on
            sources.source_key = counts.window_key
            and {{ mlmon.counts_by_age('counts', 'sources.counted_age_days') }}
    where sources.has_segments or counts.segment_name = 'all'
    group by
        sources.window_set_number, counts.segment_name, counts.segment_value,
        sources.has_score, sources.has_prediction, counts.bin_index, counts.cell
    having sum(counts.n) > 0
),

confusion as (
    select
        {{ keys | join(', ') }},
        sum(n_unpredicted) as n_excluded,
        sum(tp) as tp,
        sum(fp) as fp,
        sum(fn) as fn,
        sum(tn) as tn
    from cells
    where has_prediction
    group by {{ keys | join(', ') }}
),

-- Scores and labels summed per score bin of the reference.
score_sums as (
    select
        {{ keys | join(', ') }},
        bin_index,
        cast(sum(n) as bigint) as n,
        cast(sum(n_positive) as bigint) as n_positive,
        sum(score_sum) as score_sum,
        sum(squared_sum) as squared_sum,
        sum(squared_squares) as squared_squares,
        sum(log_loss_sum) as log_loss_sum,
        sum(log_loss_squares) as log_loss_squares
    from cells
    where has_score
    group by {{ keys | join(', ') }}, bin_index
),

-- A cell that an edge of the bins divides is one cell again.
rank_cells as (
    select
        {{ keys | join(', ') }},
        cell,
        sum(n_positive) as n_positive,
        sum(n_negative) as n_negative,
        min(case when n_positive > 0 then positive_min end) as positive_min,
        max(case when n_positive > 0 then positive_max end) as positive_max,
        min(case when n_negative > 0 then negative_min end) as negative_min,
        max(case when n_negative > 0 then negative_max end) as negative_max
    from cells
    where cell is not null
    group by {{ keys | join(', ') }}, cell
),

unranked as (
    select
        {{ keys | join(', ') }},
        sum(case when cell is null then n else 0 end) as n_excluded
    from cells
    where has_score
    group by {{ keys | join(', ') }}
),

rank_metrics as (
    {{ mlmon.rank_metrics('rank_cells', 'unranked', keys) }}
),

exact_metrics as (
    {{ mlmon.binary_metrics('confusion', keys) }}

    union all

    select * from (
        {{ mlmon.score_metrics('score_sums', keys) }}
    ) as score_metrics
),

measured as (
    select
        exact_metrics.*,
        cast(0 as {{ mlmon.type_double() }}) as value_error
    from exact_metrics

    union all

    select * from rank_metrics
)

{{ mlmon.metrics_of_ends('measured') }}
