-- One row per window end or reference of a monitor with class scores, span, segment and label age:
-- roc_auc_macro, the mean over classes of the ROC AUC of each against the rest (scikit-learn's
-- multi_class='ovr'), computed once a window set. Its variance is DeLong's (1988): rows are
-- independent, the AUCs of the classes are not, so what a row adds to all of them is summed first. A
-- label whose class has no score is one of the rest.
{{ config(
    enabled=mlmon.is_asked_for('class_scores'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}
{%- set keys = ['window_set_number', 'segment_position', 'segment_value'] %}
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}

with

classes as (
    {{ mlmon.class_score_settings() }}
),

sources as (
    select
        sources.*,
        settings.n_class_scores
    from ({{ mlmon.window_set_sources() }}) as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.n_class_scores > 0
),

-- Rows are told apart by what they hold, so that their numbers mean the same rows wherever this is
-- used; which of several equal rows has which number makes no difference.
numbered as (
    select
        row_number() over (
            partition by sources.window_set_number
            order by
                sources.source_key, labelled.label_class
                {{- mlmon.class_scores_of('labelled') }}
                {%- for number in segments %}, labelled.segment_{{ number }}{% endfor %}
        ) as row_id,
        sources.window_set_number,
        sources.monitor,
        sources.has_segments,
        sources.n_class_scores,
        classes.class_number,
        {{ mlmon.are_probabilities('labelled', 'sources.n_class_scores') }} as is_scored
        {{- mlmon.class_scores_of('labelled') }}
        {%- for number in segments %},
        labelled.segment_{{ number }}
        {%- endfor %}
    from sources
    inner join {{ ref('int_mlmon__labelled_predictions') }} as labelled
        on sources.source_key = labelled.window_key
    left join classes
        on
            sources.monitor = classes.monitor
            and labelled.label_class = classes.class_label
    where
        {{ mlmon.counts_at_age('labelled', 'sources.counted_age_days') }}
        and labelled.label_class is not null
),

segmented as (
    {{ mlmon.rows_by_segment('numbered', 'has_segments') }}
),

ranked as (
    {%- for slot in mlmon.class_score_slots() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ keys | join(', ') }},
        row_id,
        {{ loop.index }} as class_number,
        {{ slot }} as score,
        1 as n,
        cast(
            case when class_number = {{ loop.index }} then 1 else 0 end as {{ mlmon.type_double() }}
        ) as probability
    from segmented
    where is_scored and n_class_scores >= {{ loop.index }}
    {%- endfor %}
),

parts as (
    {{ mlmon.class_rank_parts('ranked', keys) }}
),

-- Of n components the sample variance has n - 1 in the denominator.
influences as (
    select
        {{ keys | join(', ') }},
        row_id,
        avg(auc) as value,
        min(least(of_class, of_rest)) as n_rarest,
        avg(case
            when probability = 1 then if_class * sqrt(of_class / nullif(of_class - 1, 0))
            else if_rest * sqrt(of_rest / nullif(of_rest - 1, 0))
        end) as influence
    from parts
    group by {{ keys | join(', ') }}, row_id
),

measured as (
    select
        {{ keys | join(', ') }},
        max(value) as value,
        max(n_rarest) as n_rarest,
        -- A class with one row does not show how it varies.
        case when min(n_rarest) > 1 then sum(influence * influence) end as variance
    from influences
    group by {{ keys | join(', ') }}
),

sizes as (
    select
        {{ keys | join(', ') }},
        min(monitor) as monitor,
        count(case when is_scored then 1 end) as n,
        count(case when is_scored then null else 1 end) as n_excluded
    from segmented
    group by {{ keys | join(', ') }}
),

sized as (
    select
        sizes.*,
        measured.value,
        measured.variance,
        measured.n_rarest
    from sizes
    left join measured
        on
            sizes.window_set_number = measured.window_set_number
            and sizes.segment_position = measured.segment_position
            and sizes.segment_value = measured.segment_value
),

named as (
    {{ mlmon.named_segments('sized') }}
),

measured_sets as (
    select
        window_set_number,
        segment_name,
        segment_value,
        cast('roc_auc_macro' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        cast(0 as {{ mlmon.type_double() }}) as value_error,
        interval_variance as variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        value_low,
        value_high,
        interval_method
    from ({{ mlmon.rank_intervals('named', 'true') }}) as bounded
)

{{ mlmon.metrics_of_ends('measured_sets') }}
