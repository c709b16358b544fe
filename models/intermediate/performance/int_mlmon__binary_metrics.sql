-- One row per population of a binary monitor, segment and metric of its confusion matrix: its value and interval.
with

counts as (
    select counts.*
    from {{ ref('int_mlmon__population_confusion') }} as counts
    inner join {{ ref('int_mlmon__populations') }} as populations
        on counts.population_number = populations.population_number
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'binary'
            and settings.has_prediction
),

confusion as (
    select
        population_number,
        segment_name,
        segment_value,
        sum(case when predicted_class is null then n else 0 end) as n_excluded,
        {{ mlmon.confusion_sums('counts') }}
    from counts
    group by population_number, segment_name, segment_value
)

{{ mlmon.binary_metrics('confusion', ['population_number', 'segment_name', 'segment_value']) }}
