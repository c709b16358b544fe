-- One row per reference, monitored column and bin: the stored truth of what every bin means.
-- Bins are (lower, upper]; NULL bounds are open. bin_kind: interval, below (strictly below upper), value (exactly
-- lower), category, other (reference categories without a bin of their own), unseen, missing.
{{ config(materialized='view', access='public') }}

with

numeric_bins as (
    select * from {{ ref('int_mlmon__numeric_bins') }}
),

category_bins as (
    select * from {{ ref('int_mlmon__category_bins') }}
)

select
    reference_key,
    column_name,
    bin_spec_id,
    cast(bin_index as bigint) as bin_index,
    bin_kind,
    case
        when bin_kind in ('unseen', 'missing') then '__' || bin_kind || '__'
    end as bin_label,
    bin_lower,
    bin_upper
from numeric_bins

union all

select
    reference_key,
    column_name,
    bin_spec_id,
    cast(bin_index as bigint) as bin_index,
    bin_kind,
    bin_label,
    cast(null as {{ mlmon.type_double() }}) as bin_lower,
    cast(null as {{ mlmon.type_double() }}) as bin_upper
from category_bins
