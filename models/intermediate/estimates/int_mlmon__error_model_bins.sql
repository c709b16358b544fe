-- One row per row that errors are fitted on and monitored column: its bin, told by the macro that counts all bins.
with

counted as (
    {{ mlmon.count_bins(
        ref('int_mlmon__error_model_rows'), 'error_number', ref('int_mlmon__error_model_rows')
    ) }}
)

select
    logged.reference_key,
    counted.error_number,
    columns.column_name,
    counted.bin_index,
    logged.absolute_error
from counted
inner join {{ ref('int_mlmon__error_model_rows') }} as logged
    on counted.error_number = logged.error_number
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        logged.monitor = columns.monitor
        and counted.slot = columns.slot
where counted.segment_position = 1
