-- One row per touched window end or reference it is held against, feature and method: the association with the label.
-- point, sd and curvature are its unbiased estimate and what its interval is made of on the scale where that is taken:
-- plain, root (of the square) or fisher (atanh).
{{ config(materialized='view') }}

select * from {{ ref('int_mlmon__binned_associations') }}

union all

select * from {{ ref('int_mlmon__grouped_associations') }}

union all

select * from {{ ref('int_mlmon__linear_associations') }}
