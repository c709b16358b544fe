-- One row per metric name: its family, unit, direction and where it comes from. Names are unique,
-- and every metric of fct_mlmon__metrics is here; KPIs and ranking metrics at a cut-off are those
-- that the configuration has.
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
from {{ mlmon.seed_relation('mlmon_metrics') }}

union all

select
    metric,
    family,
    display_name,
    'share' as unit,
    is_higher_better,
    value_floor,
    value_ceiling,
    description,
    source_table
from ({{ mlmon.cut_off_metric_descriptions() }}) as cut_off_metrics

union all

-- Monitors may have KPIs of one name: where they differ in a property, it is left empty.
select
    'kpi_' || kpi as metric,
    'kpi' as family,
    kpi as display_name,
    case when min(unit) = max(unit) then min(unit) else 'none' end as unit,
    case
        when min(case when is_higher_better then 1 else 0 end) = 1 then true
        when max(case when is_higher_better then 1 else 0 end) = 0 then false
    end as is_higher_better,
    cast(null as {{ mlmon.type_double() }}) as value_floor,
    cast(null as {{ mlmon.type_double() }}) as value_ceiling,
    coalesce(nullif(min(description), ''), 'Its mean per request.') as description,
    'fct_mlmon__kpis' as source_table
from ({{ mlmon.kpi_settings() }}) as kpis
group by kpi
