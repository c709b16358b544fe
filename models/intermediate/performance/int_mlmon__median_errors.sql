-- One row per population of a regression monitor and segment: the median absolute error, exactly, with the interval
-- between two order statistics.
with

populations as (
    select populations.*
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'regression'
),

labelled as {{ mlmon.inlined() }} (
    select
        populations.population_number,
        populations.has_segments,
        case
            when
                abs(rows_of_source.prediction_value) < 1e70
                and abs(rows_of_source.label_value) < 1e70
                then abs(rows_of_source.prediction_value - rows_of_source.label_value)
        end as error
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        rows_of_source.segment_{{ number }}
        {%- endfor %}
    from populations
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on populations.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
        on sources.source_key = rows_of_source.source_key
    where {{ mlmon.counts_at_age('rows_of_source', 'populations.label_age_days') }}
),

errors as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        population_number,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        error
    from labelled
    {%- if number %}
    where has_segments
    {%- endif %}
    {%- endfor %}
),

sizes as (
    select
        population_number,
        segment_position,
        segment_value,
        count(error) as n,
        count(*) - count(error) as n_excluded
    from errors
    group by population_number, segment_position, segment_value
),

ranked as (
    select
        errors.*,
        row_number() over (
            partition by population_number, segment_position, segment_value
            order by error
        ) as error_rank
    from errors
    where error is not null
),

medians as (
    select
        sizes.population_number,
        sizes.segment_position,
        sizes.segment_value,
        sizes.n,
        sizes.n_excluded,
        avg(
            case
                when 2 * ranked.error_rank between sizes.n and sizes.n + 2 then ranked.error
            end
        ) as value,
        max(
            case
                when
                    ranked.error_rank
                    = floor(0.5 * sizes.n - 0.979981992270027 * sqrt(sizes.n))
                    then ranked.error
            end
        ) as value_low,
        max(
            case
                when
                    ranked.error_rank
                    = ceil(1 + 0.5 * sizes.n + 0.979981992270027 * sqrt(sizes.n))
                    then ranked.error
            end
        ) as value_high
    from sizes
    left join ranked
        on
            sizes.population_number = ranked.population_number
            and sizes.segment_position = ranked.segment_position
            and sizes.segment_value = ranked.segment_value
    group by
        sizes.population_number, sizes.segment_position, sizes.segment_value, sizes.n,
        sizes.n_excluded
)

select
    medians.population_number,
    case when medians.segment_position = 0 then 'all' else segments.segment_name end
        as segment_name,
    medians.segment_value,
    cast('median_absolute_error' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    medians.value,
    -- As if the interval were a normal one.
    power((medians.value_high - medians.value_low) / 3.919927969080108, 2) as variance,
    cast(medians.n as bigint) as n,
    cast(medians.n_excluded as bigint) as n_excluded,
    medians.value_low,
    medians.value_high,
    cast('order_statistics' as {{ dbt.type_string() }}) as interval_method
from medians
inner join populations
    on medians.population_number = populations.population_number
left join ({{ mlmon.segment_settings() }}) as segments
    on
        populations.monitor = segments.monitor
        and medians.segment_position = segments.segment_position
where medians.segment_position = 0 or segments.segment_name is not null
