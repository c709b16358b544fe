-- One row per metric name: its family, unit, direction and where it comes from. Names are unique, and every
-- metric of fct_mlmon__metrics is here.
select
    metric,
    family,
    display_name,
    unit,
    case is_higher_better when 'yes' then true when 'no' then false end as is_higher_better,
    {{ mlmon.try_double('value_floor') }} as value_floor,
    {{ mlmon.try_double('value_ceiling') }} as value_ceiling,
    description,
    source_table
from {{ ref('mlmon_metrics') }}
