-- One row per stretch and source of its labelled predictions: a base window, or a reference table.
with

stretches as (
    select * from {{ ref('int_mlmon__population_stretches') }}
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_predictions > 0
)

select
    stretches.stretch_number,
    windows.window_key as source_key
from stretches
inner join windows
    on
        stretches.monitor = windows.monitor
        and stretches.model_version in ('all', windows.model_version)
        and windows.window_index between stretches.first_index and stretches.last_index

union all

select
    stretch_number,
    reference_key as source_key
from stretches
where reference_kind = 'table'
