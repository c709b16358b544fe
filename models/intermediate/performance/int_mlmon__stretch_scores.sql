-- One row per stretch of a binary monitor, segment and score: how many positive and negative labels it met, by the number of
-- the label age. What ranks scores is computed from it, exactly.
{{ config(materialized='view') }}
{%- set numbers = mlmon.label_age_numbers() %}

with

-- The stretches that a population takes its rows from, and whether any of them asks for segments.
stretches as (
    select
        populations.stretch_number,
        populations.monitor,
        bool_or(populations.has_segments) as has_segments
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'binary'
            and settings.has_score
    group by populations.stretch_number, populations.monitor
),

labelled as {{ mlmon.inlined() }} (
    select
        stretches.stretch_number,
        stretches.has_segments,
        rows_of_source.score,
        rows_of_source.label_class
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
    score
    {%- for number in numbers %},
    count(case when counts_{{ number }} and score is not null and label_class = '1' then 1 end)
        as n_positive_{{ number }},
    count(case when counts_{{ number }} and score is not null and label_class = '0' then 1 end)
        as n_negative_{{ number }},
    count(case when counts_{{ number }} and score is null then 1 end) as n_excluded_{{ number }}
    {%- endfor %}
from labelled
{%- if position %}
where has_segments
{%- endif %}
group by stretch_number, score {{- ', segment_' ~ position if position }}
{%- endfor %}
