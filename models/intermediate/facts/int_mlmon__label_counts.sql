-- One row per window (of the log or of a reference table), segment, label age, predicted class,
-- label class, bin and cell: how many labelled predictions, and the sums and bounds that metrics are
-- computed from. Performance, calibration, label coverage and label drift are sums of it.
-- A row counts the change at its age: labels that begin to count then, less those that a correction
-- takes the place of. What counts at 7 days is the sum of the rows whose label_age_days is 7 or
-- less, and all rows are what counts at latest, whose label_age_days is NULL. A reference table has
-- the one age 'reference', with 0 days.
-- The class of a number is its bin of the reference. A cell holds scores, or sizes of the errors of
-- a regression, that agree in three digits. bin_index is that of the score: NULL without a
-- reference, -1 where the score is missing or no probability, -2 where a label's class has none.
{{ config(
    access='public',
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}
{%- set most_edges = [mlmon.most_edges('score'), mlmon.label_edge_count()] | max %}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

segments as (
    {{ mlmon.segment_settings() }}
),

classes as (
    {{ mlmon.class_score_settings() }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

-- The first age at which a label counts, and the one from which on another has taken its place.
-- NULL days are latest.
labelled as (
    select
        predictions.*,
        settings.task,
        settings.has_score,
        settings.n_class_scores,
        settings.score_digits,
        classes.class_number,
        case when settings.task = 'binary' then predictions.score else predictions.label_value end
            as binned,
        case
            when stale.is_reference then 0
            else {{ mlmon.first_age_from('predictions.valid_from_microseconds', 'ages') }}
        end as counts_from_days,
        {{ mlmon.first_age_from('predictions.valid_to_microseconds', 'ages') }}
            as replaced_from_days,
        stale.is_reference,
        {{ mlmon.label_spec_id(
            "settings.task in ('binary', 'multiclass')", 'reference_facts.reference_hash'
        ) }} as label_spec_id,
        edges.n_edges,
        edges.n_below,
        edges.is_discrete
        {%- for number in range(1, most_edges + 1) %},
        edges.e_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join stale
        on predictions.window_key = stale.window_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on predictions.monitor = settings.monitor
    inner join ({{ mlmon.numbered_label_ages() }}) as ages
        on predictions.monitor = ages.monitor
    left join {{ ref('int_mlmon__slot_edges') }} as edges
        on
            stale.edge_set_number = edges.edge_set_number
            and edges.slot = case when settings.task = 'binary' then 'score' else 'label_value' end
    left join reference_facts
        on stale.reference_key = reference_facts.reference_key
    left join classes
        on
            predictions.monitor = classes.monitor
            and predictions.label_class = classes.class_label
),

placed as (
    select
        labelled.*,
        case
            when label_class is not null then label_class
            when label_spec_id is not null and label_value is not null
                then cast({{ mlmon.bin_of('binned', 'labelled', most_edges) }}
                    as {{ dbt.type_string() }})
        end as class_or_bin,
        case
            when task = 'multiclass' and n_class_scores > 0
                then case
                    when class_number is null then -2
                    when {{ mlmon.are_probabilities('labelled', 'n_class_scores') }} then null
                    else -1
                end
            when task <> 'binary' or not has_score then null
            when score is null or score < 0 or score > 1 then -1
            when n_edges > 0 then {{ mlmon.bin_of('binned', 'labelled', most_edges) }}
        end as bin_index,
        case when task = 'binary' then {{ mlmon.probable_score('score') }} end as probability,
        case when label_class = '1' then 1 else 0 end as is_positive,
        case
            when task = 'binary' then score
            when
                task = 'regression'
                and abs(prediction_value) < 1e70
                and abs(label_value) < 1e70
                then abs({{ mlmon.without_underflow('prediction_value - label_value') }})
        end as measured,
        case
            when
                task = 'multiclass'
                and {{ mlmon.are_probabilities('labelled', 'n_class_scores') }}
                then {{ mlmon.score_of_class('labelled', 'class_number') }}
        end as class_score
    from labelled
),

scored as (
    select
        placed.*,
        {{ mlmon.without_underflow('probability - is_positive') }} as deviation,
        case
            when task = 'multiclass' then class_score
            when is_positive = 1 then probability
            else 1 - probability
        end as label_score,
        case
            when task = 'regression' then {{ mlmon.number_cell('measured') }}
            else {{ mlmon.score_cell_of_monitor('measured', 'score_digits') }}
        end as cell
    from placed
),

lost as (
    select
        scored.*,
        {{ mlmon.log_loss_of('label_score') }} as log_loss
    from scored
),

-- A label that was replaced before it counted at any age never counts.
changes as (
    select
        lost.*,
        counts_from_days as label_age_days,
        1 as change
    from lost
    where
        valid_to_microseconds is null
        or (
            counts_from_days is not null
            and coalesce(counts_from_days <> replaced_from_days, true)
        )

    union all

    select
        lost.*,
        replaced_from_days as label_age_days,
        -1 as change
    from lost
    where
        valid_to_microseconds is not null
        and counts_from_days is not null
        and coalesce(counts_from_days <> replaced_from_days, true)
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
        is_reference,
        label_age_days,
        prediction_class,
        class_or_bin,
        label_spec_id,
        bin_index,
        cell,
        sum(change) as n,
        sum(case when is_early then change else 0 end) as n_early,
        sum(case when has_conflict then change else 0 end) as n_conflicts,
        min(measured) as value_min,
        max(measured) as value_max,
        sum(change * probability) as score_sum,
        sum(change * deviation * deviation) as squared_sum,
        sum(change * deviation * deviation * deviation * deviation) as squared_squares,
        sum(change * log_loss) as log_loss_sum,
        sum(change * log_loss * log_loss) as log_loss_squares
    from changes
    group by
        window_key, is_reference, label_age_days, prediction_class, class_or_bin, label_spec_id,
        bin_index, cell {{- ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    stale.window_key,
    case when not stale.is_reference then stale.monitor end as monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    case
        when counted.is_reference then 'reference'
        else coalesce(cast(counted.label_age_days as {{ dbt.type_string() }}) || 'd', 'latest')
    end as label_age,
    cast(counted.label_age_days as bigint) as label_age_days,
    counted.prediction_class as predicted_class,
    counted.class_or_bin as label_class,
    counted.label_spec_id,
    cast(counted.bin_index as bigint) as bin_index,
    counted.cell,
    cast(counted.n as bigint) as n,
    cast(counted.n_early as bigint) as n_early,
    cast(counted.n_conflicts as bigint) as n_conflicts,
    counted.value_min,
    counted.value_max,
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
