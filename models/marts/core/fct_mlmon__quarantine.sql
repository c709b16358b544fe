-- One row per monitor, log, reason and day of loading: log rows that could not be used. They are
-- counted and never vanish; a label without a prediction leaves when its prediction comes.
with

load_counts as (
    select * from {{ ref('int_mlmon__load_counts') }}
    where reason_code <> 'none'
)

select
    monitor,
    log_name,
    reason_code,
    loaded_date,
    cast(sum(n_rows) as bigint) as n_rows,
    min(first_loaded_at) as first_loaded_at,
    max(last_loaded_at) as last_loaded_at,
    min({{ mlmon.byte_order('example_request_id') }}) as example_request_id
from load_counts
group by monitor, log_name, reason_code, loaded_date
