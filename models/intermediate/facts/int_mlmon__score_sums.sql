-- One row per window (of the log or of a reference table), segment, label age and score bin of a
-- binary monitor: sums of scores, labels and losses. Calibration, Brier score and log loss are
-- computed from it and merge over windows. bin_index is NULL where the monitor has no reference to
-- take bins from; -1 holds the scores that are missing or no probability, which are only counted. A
-- multiclass monitor with class scores has only the losses, without bins; -2 holds labels whose
-- class has no score.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

segments as (
    {{ mlmon.segment_settings() }}
),

edges as (
    select * from {{ ref('int_mlmon__slot_edges') }}
    where slot = 'score'
),

classes as (
    {{ mlmon.class_score_settings() }}
),

labelled as (
    select
        predictions.*,
        settings.task,
        case
            when settings.task = 'multiclass' and classes.class_number is null then -2
            when
                settings.task = 'multiclass'
                and {{ mlmon.are_probabilities('predictions', 'settings.n_class_scores') }}
                then null
            when settings.task = 'multiclass' then -1
            when predictions.score is null or predictions.score < 0 or predictions.score > 1 then -1
            when edges.n_edges > 0 then {{ mlmon.bin_of(
                'predictions.score', 'edges', mlmon.most_edges('score')
            ) }}
        end as bin_index,
        case
            when
                settings.task = 'binary'
                and predictions.score >= 0 and predictions.score <= 1
                then predictions.score
        end as probability,
        case
            when settings.task = 'binary'
                then case when predictions.label_class = '1' then 1 else 0 end
        end as is_positive,
        case
            when {{ mlmon.are_probabilities('predictions', 'settings.n_class_scores') }}
                then {{ mlmon.score_of_class('predictions', 'classes.class_number') }}
        end as class_score
    from {{ ref('int_mlmon__aged_predictions') }} as predictions
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            predictions.monitor = settings.monitor
            and (settings.has_score or settings.n_class_scores > 0)
    left join edges
        on predictions.edge_set_number = edges.edge_set_number
    left join classes
        on
            predictions.monitor = classes.monitor
            and predictions.label_class = classes.class_label
),

scored as (
    select
        labelled.*,
        {{ mlmon.without_underflow('probability - is_positive') }} as deviation,
        case
            when task = 'multiclass' then class_score
            when is_positive = 1 then probability
            else 1 - probability
        end as label_score
    from labelled
),

lost as (
    select
        scored.*,
        {{ mlmon.log_loss_of('label_score') }} as log_loss
    from scored
),

counted as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_key,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        label_age,
        bin_index,
        count(*) as n,
        sum(is_positive) as n_positive,
        sum(probability) as score_sum,
        sum(deviation * deviation) as squared_sum,
        sum(deviation * deviation * deviation * deviation) as squared_squares,
        sum(log_loss) as log_loss_sum,
        sum(log_loss * log_loss) as log_loss_squares
    from lost
    group by
        window_key, label_age, bin_index
        {{- ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    stale.window_key,
    case when not stale.is_reference then stale.monitor end as monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    counted.label_age,
    cast(counted.bin_index as bigint) as bin_index,
    cast(counted.n as bigint) as n,
    cast(counted.n_positive as bigint) as n_positive,
    counted.score_sum,
    counted.squared_sum,
    counted.squared_squares,
    counted.log_loss_sum,
    counted.log_loss_squares
from counted
inner join stale
    on counted.window_key = stale.window_key
left join segments
    on
        stale.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where counted.segment_position = 0 or segments.segment_name is not null
