-- One row per reference and categorical column of which the reference saw some category but once: there will be others
-- that it did not see at all.
select distinct
    reference_key,
    column_name
from {{ ref('int_mlmon__reference_categories') }}
where n = 1
