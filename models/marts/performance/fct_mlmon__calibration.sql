-- One row per binary monitor, version, closed window end and score bin of the reference, at the
-- longest span and the horizon age: how often labels were positive where scores were in the bin. It
-- is the reliability table, which shows whether scores can be read as probabilities.
with

label_ages as (
    {{ mlmon.label_age_settings() }}
),

-- Scores and labels that count at the horizon, of each window of the log or of a reference table.
bins as (
    select
        windows.window_key,
        windows.monitor,
        windows.model_version,
        windows.window_index,
        counts.bin_index,
        sum(counts.n) as n,
        sum(case when counts.label_class = '1' then counts.n else 0 end) as n_positive,
        sum(counts.score_sum) as score_sum
    from {{ ref('int_mlmon__label_counts') }} as counts
    inner join {{ ref('int_mlmon__windows') }} as windows
        on counts.window_key = windows.window_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            windows.monitor = settings.monitor
            and settings.task = 'binary'
    inner join label_ages
        on
            windows.monitor = label_ages.monitor
            and label_ages.is_horizon
            and {{ mlmon.counts_by_age('counts', 'label_ages.label_age_days') }}
    where counts.segment_name = 'all' and counts.bin_index >= 0
    group by
        windows.window_key, windows.monitor, windows.model_version, windows.window_index,
        counts.bin_index
),

reference_bins as (
    select
        reference_windows.reference_key,
        bins.bin_index,
        cast(sum(bins.n_positive) as {{ mlmon.type_double() }}) / sum(bins.n) as observed_rate
    from bins
    inner join ({{ mlmon.reference_windows() }}) as reference_windows
        on bins.window_key = reference_windows.window_key
    group by reference_windows.reference_key, bins.bin_index
    having sum(bins.n) > 0
),

versions as (
    {{ mlmon.version_references() }}
),

edges as (
    select * from {{ ref('int_mlmon__bins') }}
    where column_name = 'score'
),

rates as (
    select
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        bins.bin_index,
        cast(sum(bins.n) as bigint) as n,
        sum(bins.score_sum) / sum(bins.n) as mean_score,
        cast(sum(bins.n_positive) as {{ mlmon.type_double() }}) / sum(bins.n) as observed_rate
    from {{ ref('int_mlmon__spans') }} as spans
    inner join bins
        on
            spans.monitor = bins.monitor
            and spans.model_version in ('all', bins.model_version)
            and bins.window_index between spans.first_index and spans.window_index
    where spans.is_default_span and bins.model_version is not null
    group by
        spans.monitor_key, spans.monitor, spans.model_version, spans.window_start,
        spans.window_end, spans.window_date, spans.span_windows, bins.bin_index
    having sum(bins.n) > 0
)

select
    {{ mlmon.window_columns('rates') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    label_ages.label_age,
    rates.bin_index,
    edges.bin_lower,
    edges.bin_upper,
    rates.n,
    rates.mean_score,
    rates.observed_rate,
    {{ mlmon.wilson_bound('rates.observed_rate', 'rates.n', '-') }} as observed_low,
    {{ mlmon.wilson_bound('rates.observed_rate', 'rates.n', '+') }} as observed_high,
    rates.observed_rate - rates.mean_score as calibration_gap,
    reference_bins.observed_rate as reference_observed_rate
from rates
inner join label_ages
    on rates.monitor = label_ages.monitor and label_ages.is_horizon
left join versions
    on
        rates.monitor = versions.monitor
        and rates.model_version = versions.model_version
left join edges
    on
        versions.reference_key = edges.reference_key
        and rates.bin_index = edges.bin_index
left join reference_bins
    on
        versions.reference_key = reference_bins.reference_key
        and rates.bin_index = reference_bins.bin_index
