-- One row per population of a binary monitor, segment and score: how many positive and negative labels it met. What
-- ranks scores is computed from it, exactly.
{{ config(materialized='view') }}
with

populations as (
    select populations.*
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'binary'
            and settings.has_score
),

labelled as {{ mlmon.inlined() }} (
    select
        populations.population_number,
        populations.has_segments,
        rows_of_source.score,
        rows_of_source.label_class
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        rows_of_source.segment_{{ number }}
        {%- endfor %}
    from populations
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on populations.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
        on sources.source_key = rows_of_source.source_key
    where {{ mlmon.counts_at_age('rows_of_source', 'populations.label_age_days') }}
)

{%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
{%- if not loop.first %}

union all
{% endif %}

select
    population_number,
    cast({{ number }} as bigint) as segment_position,
    {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
        as segment_value,
    score,
    cast(count(case when score is not null and label_class = '1' then 1 end) as bigint)
        as n_positive,
    cast(count(case when score is not null and label_class = '0' then 1 end) as bigint)
        as n_negative,
    cast(count(case when score is null then 1 end) as bigint) as n_excluded
from labelled
{%- if number %}
where has_segments
{%- endif %}
group by population_number, score {{- ', segment_' ~ number if number }}
{%- endfor %}
