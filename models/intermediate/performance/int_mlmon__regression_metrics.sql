-- One row per population of a regression monitor, segment and metric that is a sum: its value and interval.
with

sums as (
    select
        populations.population_number,
        sums.*
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on populations.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__error_sums') }} as sums
        on
            sources.source_key = sums.window_key
            and populations.fact_age = sums.label_age
    where populations.has_segments or sums.segment_name = 'all'
),

centred as (
    select
        sums.*,
        sum(n * label_mean) over (
            partition by population_number, segment_name, segment_value
        ) / nullif(sum(n) over (
            partition by population_number, segment_name, segment_value
        ), 0) as common_mean
    from sums
),

shifted as (
    select
        centred.*,
        {{ mlmon.without_underflow('label_mean - common_mean') }} as shift
    from centred
),

merged as (
    select
        population_number,
        segment_name,
        segment_value,
        {{ mlmon.merged_error_sums() }}
    from shifted
    group by population_number, segment_name, segment_value
)

{{ mlmon.regression_metrics('merged', ['population_number', 'segment_name', 'segment_value']) }}
