-- One row per window or reference table, segment and label age of a monitor with a value matrix: what its labelled predictions
-- are worth, from the confusion counts. The same sums as of any other KPI.
with

cells as (
    select
        counts.window_key as source_key,
        counts.model_version,
        counts.window_index,
        matrix.monitor,
        counts.label_age,
        counts.segment_name,
        counts.segment_value,
        counts.n,
        case
            when counts.predicted_class is null or counts.label_class is null then null
            when counts.label_class = '1' and counts.predicted_class = '1' then matrix.tp
            when counts.label_class = '1' then matrix.fn
            when counts.predicted_class = '1' then matrix.fp
            else matrix.tn
        end as worth
    from {{ ref('int_mlmon__confusion_counts') }} as counts
    left join {{ ref('int_mlmon__references') }} as reference_facts
        on counts.window_key = reference_facts.reference_key
    inner join ({{ mlmon.value_matrix_settings() }}) as matrix
        on coalesce(counts.monitor, reference_facts.monitor) = matrix.monitor
    left join ({{ mlmon.kpi_age_settings() }}) as ages
        on
            matrix.monitor = ages.monitor
            and ages.kpi = 'value'
            and counts.label_age = ages.label_age
    where ages.label_age is not null or counts.label_age = 'reference'
),

centred as (
    select
        cells.*,
        sum(n * worth) over (
            partition by source_key, label_age, segment_name, segment_value
        )
        / nullif(sum(case when worth is not null then n end) over (
            partition by source_key, label_age, segment_name, segment_value
        ), 0) as value_mean
    from cells
)

select
    source_key,
    model_version,
    window_index,
    monitor,
    cast('value' as {{ dbt.type_string() }}) as kpi,
    label_age,
    segment_name,
    segment_value,
    cast(sum(case when worth is not null then n else 0 end) as bigint) as n,
    cast(sum(case when worth is null then n else 0 end) as bigint) as n_missing,
    sum(n * worth) as value_sum,
    case when min(worth) = max(worth) then min(worth) else max(value_mean) end as value_mean,
    case
        when min(worth) = max(worth) then 0
        else sum(n * {{ mlmon.square('(worth - value_mean)') }})
    end as deviation_squares
from centred
group by
    source_key, model_version, window_index, monitor, label_age, segment_name, segment_value
