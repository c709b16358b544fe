-- One row per row of fct_mlmon__kpis: what a request is worth, beside the same over the reference, with the probability of such
-- a difference by chance.
with

rows_shown as (
    select * from {{ ref('int_mlmon__kpi_rows') }}
),

measured as (
    select * from {{ ref('int_mlmon__kpi_spans') }}
),

compared as (
    select
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        spans.is_judged,
        rows_shown.segment_name,
        rows_shown.segment_value,
        rows_shown.kpi,
        rows_shown.label_age,
        rows_shown.label_coverage,
        rows_shown.expected_label_coverage,
        rows_shown.is_mature,
        ages.is_judged_age,
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
    from rows_shown
    inner join {{ ref('int_mlmon__version_spans') }} as spans
        on
            rows_shown.monitor_key = spans.monitor_key
            and rows_shown.window_index = spans.window_index
            and rows_shown.span_windows = spans.span_windows
    inner join ({{ mlmon.kpi_settings() }}) as kpis
        on
            spans.monitor = kpis.monitor
            and rows_shown.kpi = kpis.kpi
    inner join ({{ mlmon.kpi_age_settings() }}) as ages
        on
            spans.monitor = ages.monitor
            and rows_shown.kpi = ages.kpi
            and rows_shown.label_age = ages.label_age
    left join measured
        on
            rows_shown.monitor_key = measured.monitor_key
            and rows_shown.window_index = measured.end_index
            and rows_shown.span_windows = measured.span_windows
            and rows_shown.segment_name = measured.segment_name
            and rows_shown.segment_value = measured.segment_value
            and rows_shown.kpi = measured.kpi
            and rows_shown.label_age = measured.label_age
    left join (
        select
            monitor,
            model_version,
            reference_key
        from {{ ref('int_mlmon__versions') }}
        union all
        -- All versions together have the one reference they share, if they do.
        select
            monitor,
            cast('all' as {{ dbt.type_string() }}) as model_version,
            case when count(distinct coalesce(reference_key, '')) = 1 then max(reference_key) end
                as reference_key
        from {{ ref('int_mlmon__versions') }}
        group by monitor
    ) as versions
        on
            spans.monitor = versions.monitor
            and spans.model_version = versions.model_version
    left join {{ ref('int_mlmon__kpi_baselines') }} as baselines
        on
            versions.reference_key = baselines.reference_key
            and rows_shown.segment_name = baselines.segment_name
            and rows_shown.segment_value = baselines.segment_value
            and rows_shown.kpi = baselines.kpi
),

-- The larger of both sides' own variance and what the baseline's spread lets expect of so few requests: a handful that
-- happen to be alike say nothing.
changed as (
    select
        compared.*,
        value - baseline as absolute_change,
        baseline_variance + greatest(
            coalesce(variance, 0), baseline_spread / nullif(n, 0)
        ) as change_variance,
        1e-12 * greatest(abs(value), abs(baseline)) as resolution
    from compared
),

bounded as (
    select
        changed.*,
        absolute_change / nullif(abs(baseline), 0) as relative_change,
        1.959963984540054 * sqrt(change_variance) as half_width,
        case
            when absolute_change is null or change_variance is null then null
            -- What means of equal values differ by, and their spread, is rounding.
            when abs(absolute_change) <= resolution and sqrt(change_variance) <= resolution then 1
            when change_variance > 0
                then {{ mlmon.normal_p('least(abs(absolute_change) / sqrt(change_variance), 40)') }}
        end as p_value
    from changed
)

select
    bounded.*,
    case when is_higher_better then 0 - relative_change else relative_change end as relative_loss
from bounded
