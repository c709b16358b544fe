-- One row per monitor, version ('all' for all versions together), closed window end, span, segment,
-- KPI and label age that is shown, with or without a value: what a request of the span is worth,
-- and the same over the reference. fct_mlmon__kpis judges it.
{{ config(enabled=mlmon.is_asked_for('kpis')) }}
{%- set sums = ['n', 'n_missing', 'value_sum', 'value_mean', 'deviation_squares'] %}
{%- set facts = ['window_key', 'monitor', 'model_version', 'window_index', 'kpi', 'label_age']
    + ['segment_name', 'segment_value'] + sums %}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

ages as (
    {{ mlmon.kpi_age_settings() }}
),

reference_windows as (
    {{ mlmon.reference_windows() }}
),

-- What labelled predictions are worth by the value matrix, from the label counts. It is read here
-- and not stored, so that a changed matrix holds for all of history. Labels of a reference table
-- stand for those at the horizon.
matrix_cells as (
    select
        counts.window_key,
        matrix.monitor,
        counts.model_version,
        counts.window_index,
        ages.label_age,
        counts.segment_name,
        counts.segment_value,
        sum(counts.n) as n,
        case
            when counts.predicted_class is null or counts.label_class is null then null
            when counts.label_class = '1' and counts.predicted_class = '1' then matrix.tp
            when counts.label_class = '1' then matrix.fn
            when counts.predicted_class = '1' then matrix.fp
            else matrix.tn
        end as worth
    from {{ ref('int_mlmon__label_counts') }} as counts
    left join reference_windows
        on counts.window_key = reference_windows.window_key
    inner join ({{ mlmon.value_matrix_settings() }}) as matrix
        on coalesce(counts.monitor, reference_windows.monitor) = matrix.monitor
    inner join ages
        on
            matrix.monitor = ages.monitor
            and ages.kpi = 'value'
            and case
                when counts.label_age = 'reference' then ages.is_judged_age
                else {{ mlmon.counts_by_age('counts', 'ages.label_age_days') }}
            end
    group by
        counts.window_key, matrix.monitor, counts.model_version, counts.window_index,
        ages.label_age, counts.segment_name, counts.segment_value, counts.predicted_class,
        counts.label_class, matrix.tp, matrix.fp, matrix.fn, matrix.tn
    having sum(counts.n) > 0
),

centred_cells as (
    select
        matrix_cells.*,
        sum(n * worth) over (
            partition by window_key, label_age, segment_name, segment_value
        )
        / nullif(sum(case when worth is not null then n end) over (
            partition by window_key, label_age, segment_name, segment_value
        ), 0) as value_mean
    from matrix_cells
),

window_sums as (
    select {{ facts | join(', ') }}
    from {{ ref('int_mlmon__kpi_sums') }}

    union all

    select
        window_key,
        monitor,
        model_version,
        window_index,
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
    from centred_cells
    group by
        window_key, monitor, model_version, window_index, label_age, segment_name, segment_value
),

span_parts as (
    select
        spans.monitor_key,
        spans.window_index as end_index,
        spans.span_windows,
        window_sums.kpi,
        window_sums.label_age,
        window_sums.segment_name,
        window_sums.segment_value,
        window_sums.{{ sums | join(',\n        window_sums.') }}
    from spans
    inner join window_sums
        on
            spans.monitor = window_sums.monitor
            and spans.model_version in ('all', window_sums.model_version)
            and window_sums.window_index between spans.first_index and spans.window_index
    where
        (window_sums.segment_name = 'all' or spans.is_default_span)
        -- Windows of a reference table have no version.
        and window_sums.model_version is not null
),

measured as (
    {{- mlmon.merged_kpi_sums('span_parts', [
        'monitor_key', 'end_index', 'span_windows', 'kpi', 'label_age', 'segment_name',
        'segment_value',
    ]) }}
),

-- A reference is the sum of its windows, of labels at the horizon.
reference_parts as (
    select
        reference_windows.reference_key,
        window_sums.kpi,
        window_sums.segment_name,
        window_sums.segment_value,
        window_sums.{{ sums | join(',\n        window_sums.') }}
    from reference_windows
    inner join window_sums
        on reference_windows.window_key = window_sums.window_key
    inner join ages
        on
            window_sums.monitor = ages.monitor
            and window_sums.kpi = ages.kpi
            and window_sums.label_age = ages.label_age
            and ages.is_judged_age
),

baselines as (
    {{- mlmon.merged_kpi_sums(
        'reference_parts', ['reference_key', 'kpi', 'segment_name', 'segment_value']
    ) }}
),

-- KPIs that need no label are shown for the whole and for each segment that has requests; those
-- that need one wherever performance is.
shown as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        ages.kpi,
        ages.label_age,
        cast(null as {{ mlmon.type_double() }}) as label_coverage,
        cast(null as {{ mlmon.type_double() }}) as expected_label_coverage,
        cast(null as boolean) as is_mature
    from spans
    inner join ages
        on
            spans.monitor = ages.monitor
            and not ages.needs_label

    union all

    select
        monitor_key,
        end_index as window_index,
        span_windows,
        segment_name,
        segment_value,
        kpi,
        label_age,
        null as label_coverage,
        null as expected_label_coverage,
        null as is_mature
    from measured
    where segment_name <> 'all' and label_age = 'none'

    union all

    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        coverage.segment_name,
        coverage.segment_value,
        ages.kpi,
        ages.label_age,
        coverage.label_coverage,
        coverage.expected_label_coverage,
        coverage.is_mature
    from spans
    inner join ages
        on
            spans.monitor = ages.monitor
            and ages.needs_label
    inner join {{ ref('int_mlmon__span_coverage') }} as coverage
        on
            spans.window_key = coverage.window_key
            and spans.span_windows = coverage.span_windows
            and ages.label_age = coverage.label_age
)

select
    spans.monitor_key,
    spans.monitor,
    spans.model_version,
    spans.window_index,
    spans.window_start,
    spans.window_end,
    spans.window_date,
    spans.span_windows,
    spans.is_judged,
    shown.segment_name,
    shown.segment_value,
    shown.kpi,
    shown.label_age,
    ages.is_judged_age,
    shown.label_coverage,
    shown.expected_label_coverage,
    shown.is_mature,
    kpis.needs_label,
    kpis.unit,
    kpis.is_higher_better,
    kpis.warning,
    kpis.critical,
    coalesce(measured.n, 0) as n,
    coalesce(measured.n_missing, 0) as n_missing,
    measured.value_sum,
    measured.value,
    measured.variance,
    baselines.value as baseline,
    baselines.n as n_baseline,
    baselines.variance as baseline_variance,
    baselines.spread as baseline_spread
from shown
inner join spans
    on
        shown.monitor_key = spans.monitor_key
        and shown.window_index = spans.window_index
        and shown.span_windows = spans.span_windows
inner join ({{ mlmon.kpi_settings() }}) as kpis
    on
        spans.monitor = kpis.monitor
        and shown.kpi = kpis.kpi
inner join ages
    on
        spans.monitor = ages.monitor
        and shown.kpi = ages.kpi
        and shown.label_age = ages.label_age
left join measured
    on
        shown.monitor_key = measured.monitor_key
        and shown.window_index = measured.end_index
        and shown.span_windows = measured.span_windows
        and shown.segment_name = measured.segment_name
        and shown.segment_value = measured.segment_value
        and shown.kpi = measured.kpi
        and shown.label_age = measured.label_age
left join ({{ mlmon.version_references() }}) as versions
    on
        spans.monitor = versions.monitor
        and spans.model_version = versions.model_version
left join baselines
    on
        versions.reference_key = baselines.reference_key
        and shown.segment_name = baselines.segment_name
        and shown.segment_value = baselines.segment_value
        and shown.kpi = baselines.kpi
