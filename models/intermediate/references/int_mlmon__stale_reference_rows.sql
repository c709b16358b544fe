-- One row per row of the references that are stale. They are read once, for all facts about
-- references.
with

stale as (
    select
        reference_facts.reference_key,
        reference_facts.monitor,
        reference_facts.reference_version,
        reference_facts.logged_version,
        reference_facts.reference_kind,
        reference_facts.first_index,
        reference_facts.last_index
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'references'
            and stale.window_key = reference_facts.reference_key
)

select
    stale.reference_key,
    logged.prediction_class,
    {{ mlmon.nan_to_null('logged.prediction_value') }} as prediction_value,
    {{ mlmon.nan_to_null('logged.score') }} as score,
    {{ mlmon.nan_to_null('logged.label_value') }} as label_value
    {{- mlmon.class_scores_of('logged', clean=true) }}
    {%- for slot in mlmon.slot_names() %},
    {{ mlmon.nan_to_null('logged.' ~ slot) if slot.startswith('numeric') else 'logged.' ~ slot }}
        as {{ slot }}
    {%- endfor %}
from {{ ref('stg_mlmon__references') }} as logged
inner join stale
    on
        logged.monitor = stale.monitor
        and logged.reference_version = stale.reference_version
where stale.reference_kind = 'table'

union all

select
    stale.reference_key,
    logged.prediction_class,
    {{ mlmon.nan_to_null('logged.prediction_value') }} as prediction_value,
    {{ mlmon.nan_to_null('logged.score') }} as score,
    cast(null as {{ mlmon.type_double() }}) as label_value
    {{- mlmon.class_scores_of('logged', clean=true) }}
    {%- for slot in mlmon.slot_names() %},
    {{ mlmon.nan_to_null('logged.' ~ slot) if slot.startswith('numeric') else 'logged.' ~ slot }}
        as {{ slot }}
    {%- endfor %}
from {{ ref('int_mlmon__resolved_predictions') }} as logged
inner join stale
    on
        logged.monitor = stale.monitor
        and logged.window_index between stale.first_index and stale.last_index
        and stale.logged_version in ('all', logged.model_version)
where
    stale.reference_kind <> 'table'
    and logged.is_counting
    and logged.is_success
