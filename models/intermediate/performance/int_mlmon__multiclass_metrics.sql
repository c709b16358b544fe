-- One row per window end or reference of a multiclass monitor, span, segment, label age, metric and
-- class ('all' for averages): its value and interval, computed once a window set and given to the
-- window ends that share it. The variance of an average is the delta method's: a cell counts the
-- rows of one label and one predicted class, and a row's influence is the metric's gradient by the
-- hits of its class, the labels and the predictions of both.
{{ config(
    enabled='multiclass' in mlmon.labelled_tasks(),
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
    {{ mlmon.window_set_sources() }}
),

counts as (
    select
        sources.window_set_number,
        counts.segment_name,
        counts.segment_value,
        counts.label_class,
        counts.predicted_class,
        sum(counts.n) as n
    from sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task = 'multiclass'
            and settings.has_prediction
    inner join {{ ref('int_mlmon__label_counts') }} as counts
        on
            sources.source_key = counts.window_key
            and {{ mlmon.counts_by_age('counts', 'sources.counted_age_days') }}
    where
        (sources.has_segments or counts.segment_name = 'all')
        and counts.label_class is not null
    group by
        sources.window_set_number, counts.segment_name, counts.segment_value,
        counts.label_class, counts.predicted_class
    having sum(counts.n) > 0
),

cells as (
    select * from counts
    where predicted_class is not null
),

totals as (
    select
        {{ keys | join(', ') }},
        sum(case when predicted_class is not null then n else 0 end) as n_rows,
        sum(case when predicted_class = label_class then n else 0 end) as n_correct,
        sum(case when predicted_class is null then n else 0 end) as n_excluded
    from counts
    group by {{ keys | join(', ') }}
    having sum(case when predicted_class is not null then n else 0 end) > 0
),

margins as (
    select
        {{ keys | join(', ') }},
        label_class as class_label,
        n as n_labels,
        0 as n_predicted,
        case when predicted_class = label_class then n else 0 end as n_hits
    from cells

    union all

    select
        {{ keys | join(', ') }},
        predicted_class as class_label,
        0 as n_labels,
        n as n_predicted,
        0 as n_hits
    from cells
),

class_sums as (
    select
        {{ keys | join(', ') }},
        class_label,
        cast(sum(n_labels) as {{ mlmon.type_double() }}) as n_labels,
        cast(sum(n_predicted) as {{ mlmon.type_double() }}) as n_predicted,
        cast(sum(n_hits) as {{ mlmon.type_double() }}) as n_hits
    from margins
    group by {{ keys | join(', ') }}, class_label
),

-- For each class: its labels, its predictions, and how many rows are both.
classes as (
    select
        class_sums.*,
        totals.n_rows,
        totals.n_correct,
        totals.n_excluded,
        count(*) over one_set as n_classes,
        sum(case when class_sums.n_labels > 0 then 1 else 0 end) over one_set as n_label_classes
    from class_sums
    inner join totals
        on
            class_sums.window_set_number = totals.window_set_number
            and class_sums.segment_name = totals.segment_name
            and class_sums.segment_value = totals.segment_value
    window one_set as (
        partition by
            class_sums.window_set_number, class_sums.segment_name, class_sums.segment_value
    )
),

-- What each class adds to a metric, and the metric's gradient by its hits, labels and predictions.
parts as (
    {{ mlmon.multiclass_parts('classes', keys) }}
),

influences as (
    select
        cells.window_set_number,
        cells.segment_name,
        cells.segment_value,
        label_parts.metric,
        cells.n,
        case when cells.label_class = cells.predicted_class then label_parts.by_hits else 0 end
        + label_parts.by_labels + predicted_parts.by_predicted as influence
    from cells
    inner join parts as label_parts
        on
            cells.window_set_number = label_parts.window_set_number
            and cells.segment_name = label_parts.segment_name
            and cells.segment_value = label_parts.segment_value
            and cells.label_class = label_parts.class_label
    inner join parts as predicted_parts
        on
            cells.window_set_number = predicted_parts.window_set_number
            and cells.segment_name = predicted_parts.segment_name
            and cells.segment_value = predicted_parts.segment_value
            and cells.predicted_class = predicted_parts.class_label
            and label_parts.metric = predicted_parts.metric
),

variances as (
    select
        {{ keys | join(', ') }},
        metric,
        sum(n * influence * influence)
        - sum(n * influence) * sum(n * influence) / sum(n) as variance
    from influences
    group by {{ keys | join(', ') }}, metric
),

averages as (
    select
        {{ keys | join(', ') }},
        metric,
        max(n_rows) as n,
        max(n_excluded) as n_excluded,
        sum(part) as value,
        sqrt(sum(below * below)) as below,
        sqrt(sum(above * above)) as above
    from parts
    group by {{ keys | join(', ') }}, metric
),

varied as (
    select
        averages.*,
        -- A variance below the rounding of its terms is none.
        case when variances.variance > 1e-15 then variances.variance else 0 end as variance,
        -- How many rows would make a proportion of this value as uncertain.
        case
            when variances.variance > 1e-15
                then averages.value * (1 - averages.value) / variances.variance
            when averages.value < 1e-12 or averages.value > 1 - 1e-12 then averages.n
        end as n_effective
    from averages
    inner join variances
        on
            averages.window_set_number = variances.window_set_number
            and averages.segment_name = variances.segment_name
            and averages.segment_value = variances.segment_value
            and averages.metric = variances.metric
){% if mlmon.is_asked_for('class_scores') %},

-- The log loss of class scores. Labels whose class has no score are in a bin of their own (-2).
score_sums as (
    select
        sources.window_set_number,
        sums.segment_name,
        sums.segment_value,
        sums.bin_index,
        cast(sum(sums.n) as bigint) as n,
        cast(null as bigint) as n_positive,
        sum(sums.score_sum) as score_sum,
        sum(sums.squared_sum) as squared_sum,
        sum(sums.squared_squares) as squared_squares,
        sum(sums.log_loss_sum) as log_loss_sum,
        sum(sums.log_loss_squares) as log_loss_squares
    from sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.n_class_scores > 0
    inner join {{ ref('int_mlmon__label_counts') }} as sums
        on
            sources.source_key = sums.window_key
            and {{ mlmon.counts_by_age('sums', 'sources.counted_age_days') }}
    where sources.has_segments or sums.segment_name = 'all'
    group by
        sources.window_set_number, sums.segment_name, sums.segment_value, sums.bin_index
    having sum(sums.n) > 0
),

score_metrics as (
    {{ mlmon.score_metrics('score_sums', keys) }}
)
{%- endif %},

exact_metrics as (
    {{ mlmon.multiclass_metrics('totals', 'classes', keys) }}

    union all

    select
        {{ keys | join(', ') }},
        metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case
            when below is not null then greatest(0, value - below)
            when n_effective > 0 then {{ mlmon.wilson_bound('value', 'n_effective', '-') }}
        end as value_low,
        case
            when above is not null then least(1, value + above)
            when n_effective > 0 then {{ mlmon.wilson_bound('value', 'n_effective', '+') }}
        end as value_high,
        cast(
            case when below is not null then 'newcombe' else 'wilson_effective' end
            as {{ dbt.type_string() }}
        ) as interval_method
    from varied
    {%- if mlmon.is_asked_for('class_scores') %}

    union all

    select * from score_metrics
    where metric = 'log_loss'
    {%- endif %}
),

measured as (
    select
        exact_metrics.*,
        cast(0 as {{ mlmon.type_double() }}) as value_error
    from exact_metrics
)

{{ mlmon.metrics_of_ends('measured') }}
