-- One row per window (of the log or of a reference table) and sampled row: its features. Joint
-- drift needs rows, which cannot be summed over windows. A row is chosen where its hash is below
-- cut_hash, so that the rows of several windows below their smallest cut are an even sample of all
-- of them together. The hash of a prediction is that of its request. A reference table has no ids:
-- there it is of what the row holds and how many equal rows of the table came before it.
{{ config(
    enabled=mlmon.measures_joint_drift(),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}
{%- set features = mlmon.feature_slot_names() %}

with

stale as (
    select
        stale.window_number,
        stale.window_key,
        stale.monitor,
        stale.model_version,
        stale.window_index,
        stale.is_reference,
        stale.reference_key,
        settings.multivariate_rows
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stale.facts = 'predictions'
            and stale.monitor = settings.monitor
    where settings.multivariate_rows is not null
),

logged as (
    select
        stale.window_key,
        {{ mlmon.portable_checksum(['predictions.request_id']) }} as sample_hash,
        {{ mlmon.sample_cut('predictions.n_in_window', 'stale.multivariate_rows') }} as cut_hash
        {%- for slot in features %},
        predictions.{{ slot }}
        {%- endfor %}
    from ({{ mlmon.stale_predictions() }}) as predictions
    inner join stale
        on predictions.window_number = stale.window_number
    where predictions.is_success and predictions.is_profiled
),

-- Equal rows are counted over the whole table, whichever of its windows are stale.
sampled_references as (
    select
        reference_facts.monitor,
        reference_facts.reference_key,
        reference_facts.reference_version,
        {{ mlmon.sample_cut('reference_facts.n_reference', 'settings.multivariate_rows') }}
            as cut_hash
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join {{ ref('int_mlmon__settings') }} as settings
        on reference_facts.monitor = settings.monitor
    where
        reference_facts.reference_key in (
            select reference_key from stale
            where is_reference
        )
),

reference_rows as (
    select
        sampled_references.reference_key,
        sampled_references.cut_hash,
        coalesce({{ mlmon.window_index('logged.predicted_at', 'logged.monitor') }}, -1)
            as window_index,
        logged.prediction_class,
        {{ mlmon.nan_to_null('logged.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('logged.score') }} as score,
        logged.label_class,
        {{ mlmon.nan_to_null('logged.label_value') }} as label_value
        {%- for slot in mlmon.slot_names() %},
        {{ mlmon.nan_to_null('logged.' ~ slot) if slot.startswith('numeric')
            else 'logged.' ~ slot }} as {{ slot }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join sampled_references
        on
            logged.monitor = sampled_references.monitor
            and logged.reference_version = sampled_references.reference_version
),

described as (
    select
        reference_rows.*,
        {{ mlmon.portable_checksum(
            [
                'prediction_class', mlmon.portable_digits('prediction_value'),
                mlmon.portable_digits('score'), 'label_class',
                mlmon.portable_digits('label_value'),
            ]
            + mlmon.portable_slots()
        ) }} as content_hash
    from reference_rows
),

numbered as (
    select
        described.*,
        row_number() over (
            partition by reference_key, content_hash
            order by
                prediction_value nulls last,
                score nulls last
                {%- for slot in mlmon.slot_names() %},
                {{ slot }} nulls last
                {%- endfor %},
                window_index
        ) as occurrence
    from described
),

hashed as (
    select * from logged

    union all

    select
        stale.window_key,
        {{ mlmon.portable_checksum(['numbered.content_hash', 'numbered.occurrence']) }}
            as sample_hash,
        numbered.cut_hash
        {%- for slot in features %},
        numbered.{{ slot }}
        {%- endfor %}
    from numbered
    inner join stale
        on
            stale.is_reference
            and numbered.reference_key = stale.reference_key
            and numbered.window_index = stale.window_index
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    hashed.sample_hash,
    hashed.cut_hash
    {%- for slot in features %},
    hashed.{{ slot }}
    {%- endfor %}
from hashed
inner join stale
    on hashed.window_key = stale.window_key
where hashed.sample_hash < hashed.cut_hash
