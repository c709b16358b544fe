-- One row per sampled row of a reference table: its features. Joint drift compares row by row, and
-- so many rows are enough. A reference table has no ids, so a row is chosen by a hash of what it
-- holds and how many equal rows came before it. A reference in the log is sampled with its windows.
{{ config(
    enabled=mlmon.measures_joint_drift(),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

sampled_references as (
    select
        reference_facts.reference_key,
        {{ mlmon.sample_cut('reference_facts.n_reference', 'settings.multivariate_rows') }}
            as cut_hash
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join {{ ref('int_mlmon__settings') }} as settings
        on reference_facts.monitor = settings.monitor
    where
        reference_facts.reference_kind = 'table'
        and settings.multivariate_rows is not null
),

described as (
    select
        logged.*,
        sampled_references.cut_hash,
        {{ mlmon.portable_checksum(
            [
                'prediction_class', mlmon.portable_digits('prediction_value'),
                mlmon.portable_digits('score'), 'label_class',
                mlmon.portable_digits('label_value'),
            ]
            + mlmon.portable_slots()
        ) }} as content_hash
    from {{ ref('int_mlmon__stale_reference_rows') }} as logged
    inner join sampled_references
        on logged.reference_key = sampled_references.reference_key
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
                {%- endfor %}
        ) as occurrence
    from described
),

hashed as (
    select
        reference_key,
        {{ mlmon.portable_checksum(['content_hash', 'occurrence']) }} as sample_hash,
        cut_hash
        {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
        {{ slot }}
        {%- endfor %}
    from numbered
)

select * from hashed
where sample_hash < cut_hash
