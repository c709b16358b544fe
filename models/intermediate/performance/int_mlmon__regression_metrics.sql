-- One row per window set of a regression monitor, label age, segment and metric: its value and
-- interval. int_mlmon__metric_values gives these to the window ends that share the set. They are
-- the metrics that are sums of errors, and the exact median absolute error, with the interval
-- between two order statistics. Sorting errors is what takes time: one pass over a set serves all
-- label ages, which have numbers here (1 is `latest`).
-- A table, because one model of all tasks would be too long to read.
{{ config(enabled='regression' in mlmon.labelled_tasks()) }}
{%- set keys = ['window_set_number', 'label_age', 'segment_name', 'segment_value'] %}
{%- set numbers = mlmon.label_age_numbers() %}
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}
{%- set group = 'window_set_number, segment_position, segment_value' %}

with

sources as (
    select sources.*
    from {{ ref('int_mlmon__window_set_sources') }} as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task = 'regression'
),

-- The sums of a set's windows, and the mean label of all of them, about which the moments are taken
-- once they are merged: each window has its moments about its own mean.
centred as (
    select
        sources.window_set_number,
        sums.*,
        sum(sums.n * sums.label_mean) over one_set / nullif(sum(sums.n) over one_set, 0)
            as common_mean
    from sources
    inner join {{ ref('int_mlmon__error_sums') }} as sums
        on sources.source_key = sums.window_key
    where sources.has_segments or sums.segment_name = 'all'
    window one_set as (
        partition by
            sources.window_set_number, sums.label_age, sums.segment_name, sums.segment_value
    )
),

shifted as (
    select
        centred.*,
        {{ mlmon.without_underflow('label_mean - common_mean') }} as shift
    from centred
),

merged as (
    select
        window_set_number,
        case when label_age = 'reference' then 'latest' else label_age end as label_age,
        segment_name,
        segment_value,
        {{ mlmon.merged_error_sums() }}
    from shifted
    group by window_set_number, shifted.label_age, segment_name, segment_value
),

logged as (
    select
        window_key as source_key,
        prediction_value,
        label_value,
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
        case
            when abs(logged.prediction_value) < 1e70 and abs(logged.label_value) < 1e70
                then abs(logged.prediction_value - logged.label_value)
        end as error
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
),

-- Once for each segment column; position 0 is the whole monitor.
errors as (
    {%- for position in [0] + segments %}
    {%- if position %}

    union all
    {% endif %}
    select
        window_set_number,
        cast({{ position }} as bigint) as segment_position,
        {{ 'segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        error
        {%- for number in numbers %},
        counts_{{ number }}
        {%- endfor %}
    from labelled
    {%- if position %}
    where has_segments
    {%- endif %}
    {%- endfor %}
),

ranked_errors as (
    select
        errors.*
        {%- for number in numbers %},
        sum(case when counts_{{ number }} and error is not null then 1 else 0 end) over rising
            as rank_{{ number }},
        sum(case when counts_{{ number }} and error is not null then 1 else 0 end) over whole
            as n_{{ number }}
        {%- endfor %}
    from errors
    window
        rising as (
            partition by {{ group }}
            order by error nulls last
            rows between unbounded preceding and current row
        ),
        whole as (
            partition by {{ group }}
            order by error nulls last
            rows between unbounded preceding and unbounded following
        )
),

medians as (
    select
        {{ group }}
        {%- for number in numbers %}
        {%- set counts, n, rank = 'counts_%s' % number, 'n_%s' % number, 'rank_%s' % number %},
        max({{ n }}) as {{ n }},
        count(case when {{ counts }} and error is null then 1 end) as n_excluded_{{ number }}
        {%- for name, aggregate, condition in [
            ('value', 'avg', '2 * ' ~ rank ~ ' between ' ~ n ~ ' and ' ~ n ~ ' + 2'),
            ('low', 'max', rank ~ ' = floor(0.5 * ' ~ n ~ ' - 0.979981992270027 * sqrt(' ~ n ~ '))'),
            ('high', 'max', rank ~ ' = ceil(1 + 0.5 * ' ~ n ~ ' + 0.979981992270027 * sqrt(' ~ n ~ '))'),
        ] %},
        {{ aggregate }}(case when {{ counts }} and {{ condition }} then error end)
            as {{ name }}_{{ number }}
        {%- endfor %}
        {%- endfor %}
    from ranked_errors
    group by {{ group }}
),

aged_medians as (
    {%- for number in numbers %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ group }},
        {{ number }} as age_number,
        value_{{ number }} as value,
        low_{{ number }} as value_low,
        high_{{ number }} as value_high,
        n_{{ number }} as n,
        n_excluded_{{ number }} as n_excluded
    from medians
    where n_{{ number }} + n_excluded_{{ number }} > 0
    {%- endfor %}
)

{{ mlmon.regression_metrics('merged', keys) }}

union all

select
    medians.window_set_number,
    ages.label_age,
    coalesce(segments.segment_name, 'all') as segment_name,
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
from aged_medians as medians
inner join (
    select distinct
        window_set_number,
        monitor
    from sources
) as window_sets
    on medians.window_set_number = window_sets.window_set_number
inner join ({{ mlmon.label_ages_by_number() }}) as ages
    on
        window_sets.monitor = ages.monitor
        and medians.age_number = ages.age_number
left join ({{ mlmon.segment_settings() }}) as segments
    on
        window_sets.monitor = segments.monitor
        and medians.segment_position = segments.segment_position
where medians.segment_position = 0 or segments.segment_name is not null
