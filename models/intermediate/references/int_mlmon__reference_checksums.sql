-- One row per reference table and version it serves: how many rows it has and a checksum of all they hold,
-- equal on every warehouse, so that a changed reference is seen wherever it changed.
with

rows_of_references as (
    select
        monitor,
        reference_version,
        predicted_at,
        {{ mlmon.window_index('predicted_at') }} as window_index,
        {{ mlmon.portable_checksum(
            [
                'cast(' ~ mlmon.window_index('predicted_at') ~ ' as ' ~ dbt.type_string() ~ ')',
                'prediction_class', mlmon.portable_digits('prediction_value'),
                mlmon.portable_digits('score'), 'label_class',
                mlmon.portable_digits('label_value'),
            ]
            + (['query_id', 'item_id'] if mlmon.ranking_monitors() else [])
            + mlmon.portable_slots()
            + mlmon.portable_class_scores()
        ) }} as row_checksum
    from {{ ref('stg_mlmon__references') }}
)

select
    monitor,
    reference_version,
    count(*) as n_reference,
    min(predicted_at) as reference_start_at,
    max(predicted_at) as reference_end_at,
    min(window_index) as first_index,
    max(window_index) as last_index,
    md5(
        cast(count(*) as {{ dbt.type_string() }}) || '|'
        || cast(sum(row_checksum) as {{ dbt.type_string() }})
    ) as reference_checksum
from rows_of_references
group by monitor, reference_version
