-- One row per monitor, version, closed window end, span, segment, label age, label class and predicted class: how many
-- labelled predictions. At the horizon and latest; segments at the longest span.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_performance_ends') }}",
) }}

with

counts as (
    select * from {{ ref('int_mlmon__population_confusion') }}
    where label_class is not null and predicted_class is not null
),

shared as (
    select
        counts.*,
        sum(n) over (
            partition by population_number, segment_name, segment_value
        ) as n_all,
        sum(n) over (
            partition by population_number, segment_name, segment_value, label_class
        ) as n_of_label
    from counts
)

select
    stretches.window_key,
    {{ mlmon.window_columns('stretches') }},
    shared.segment_name,
    shared.segment_value,
    populations.label_age,
    shared.label_class,
    shared.predicted_class,
    case
        when settings.task <> 'binary'
            then case when shared.label_class = shared.predicted_class then 'hit' else 'miss' end
        when shared.label_class = '1' and shared.predicted_class = '1' then 'tp'
        when shared.label_class = '1' then 'fn'
        when shared.predicted_class = '1' then 'fp'
        else 'tn'
    end as cell,
    shared.n,
    cast(shared.n as {{ mlmon.type_double() }}) / shared.n_all as share_of_all,
    cast(shared.n as {{ mlmon.type_double() }}) / shared.n_of_label as share_of_label
from shared
inner join {{ ref('int_mlmon__population_members') }} as populations
    on shared.population_number = populations.population_number
inner join {{ ref('int_mlmon__population_stretches') }} as stretches
    on populations.stretch_number = stretches.stretch_number
inner join {{ ref('int_mlmon__settings') }} as settings
    on populations.monitor = settings.monitor
inner join ({{ mlmon.label_age_settings() }}) as label_ages
    on
        populations.monitor = label_ages.monitor
        and populations.label_age = label_ages.label_age
        and (label_ages.is_horizon or label_ages.label_age_days is null)
where
    populations.reference_key is null
    and (populations.has_segments or shared.segment_name = 'all')
