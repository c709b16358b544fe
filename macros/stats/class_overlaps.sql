{#
    SQL: of each monitor that predicts classes how many labels the newest 28 days have, how many of them are texts that
    are not among the predictions, and the most frequent texts of both. Texts in one log alone are never equal to any in
    the other.
#}
{% macro class_overlaps() %}
    with

    class_bounds as (
        select
            bounds.monitor,
            bounds.last_closed_index,
            bounds.last_closed_index - 28 * settings.windows_per_day as before_index,
            {{ mlmon.window_start(
                'bounds.last_closed_index - 28 * settings.windows_per_day', 'bounds.monitor'
            ) }} as first_at
        from {{ ref('mlmon', 'int_mlmon__log_bounds') }} as bounds
        inner join {{ ref('mlmon', 'int_mlmon__settings') }} as settings
            on bounds.monitor = settings.monitor
        where settings.task in ('binary', 'multiclass')
    ),

    sides as (
        select
            class_bounds.monitor,
            logged.prediction_text as class_text,
            count(*) as n_predictions,
            0 as n_labels
        from {{ ref('mlmon', 'stg_mlmon__predictions') }} as logged
        inner join class_bounds
            on
                logged.monitor = class_bounds.monitor
                and logged.predicted_at >= class_bounds.first_at
                and logged.window_index > class_bounds.before_index
                and logged.window_index <= class_bounds.last_closed_index
        where logged.quarantine_reason is null and logged.prediction_text is not null
        group by class_bounds.monitor, logged.prediction_text

        union all

        select
            class_bounds.monitor,
            logged.label_text as class_text,
            0 as n_predictions,
            count(*) as n_labels
        from {{ ref('mlmon', 'stg_mlmon__labels') }} as logged
        inner join class_bounds
            on
                logged.monitor = class_bounds.monitor
                and logged.labeled_at >= class_bounds.first_at
        where logged.quarantine_reason is null and logged.label_text is not null
        group by class_bounds.monitor, logged.label_text
    ),

    class_texts as (
        select
            monitor,
            class_text,
            sum(n_predictions) as n_predictions,
            sum(n_labels) as n_labels,
            row_number() over (
                partition by monitor, case when sum(n_labels) > 0 then 1 else 0 end
                order by sum(n_labels) + sum(n_predictions) desc, class_text
            ) as text_rank
        from sides
        group by monitor, class_text
    )

    select
        monitor,
        sum(n_labels) as n_labels,
        sum(case when n_predictions = 0 then n_labels else 0 end) as n_alone,
        count(*) as n_texts,
        sum(case when n_predictions > 0 and n_labels > 0 then 1 else 0 end) as n_common,
        {{ mlmon.concatenate(
            "case when n_predictions > 0 and text_rank <= 3 then ' ' || class_text end",
            'class_text'
        ) }} as predicted_texts,
        {{ mlmon.concatenate(
            "case when n_labels > 0 and text_rank <= 3 then ' ' || class_text end",
            'class_text'
        ) }} as label_texts
    from class_texts
    group by monitor
    having sum(n_labels) > 0 and sum(n_predictions) > 0
{%- endmacro %}
