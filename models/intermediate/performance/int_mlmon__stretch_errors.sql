-- One row per labelled prediction of a stretch of a regression monitor and segment: its absolute error, and whether its
-- label counts at the age of that number.
{{ config(materialized='view') }}
{%- set numbers = mlmon.label_age_numbers() %}

with

stretches as (
    select
        populations.stretch_number,
        populations.monitor,
        bool_or(populations.has_segments) as has_segments
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'regression'
    group by populations.stretch_number, populations.monitor
),

labelled as {{ mlmon.inlined() }} (
    select
        stretches.stretch_number,
        stretches.has_segments,
        case
            when
                abs(rows_of_source.prediction_value) < 1e70
                and abs(rows_of_source.label_value) < 1e70
                then abs(rows_of_source.prediction_value - rows_of_source.label_value)
        end as error
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        rows_of_source.segment_{{ number }}
        {%- endfor %}
        {%- for number in numbers %},
        {{ mlmon.counts_at_numbered_age('rows_of_source', 'ages', number) }} as counts_{{ number }}
        {%- endfor %}
    from stretches
    inner join ({{ mlmon.numbered_label_ages() }}) as ages
        on stretches.monitor = ages.monitor
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on stretches.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
        on sources.source_key = rows_of_source.source_key
)

{%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
{%- if not loop.first %}

union all
{% endif %}

select
    stretch_number,
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
