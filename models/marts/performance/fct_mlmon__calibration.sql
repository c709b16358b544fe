-- One row per binary monitor, version, closed window end and score bin of the reference, at the
-- longest span and the horizon age: how often labels were positive where scores were in the bin. It
-- is the reliability table, which shows whether scores can be read as probabilities.
with

bins as (
    select * from {{ ref('int_mlmon__calibration_bins') }}
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
        bins.n,
        bins.score_sum / bins.n as mean_score,
        cast(bins.n_positive as {{ mlmon.type_double() }}) / bins.n as observed_rate
    from bins
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            bins.monitor_key = spans.monitor_key
            and bins.window_index = spans.window_index
            and spans.is_default_span
    where bins.reference_key is null
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
    cast(reference_bins.n_positive as {{ mlmon.type_double() }}) / reference_bins.n
        as reference_observed_rate
from rates
inner join ({{ mlmon.label_age_settings() }}) as label_ages
    on rates.monitor = label_ages.monitor and label_ages.is_horizon
left join versions
    on
        rates.monitor = versions.monitor
        and rates.model_version = versions.model_version
left join edges
    on
        versions.reference_key = edges.reference_key
        and rates.bin_index = edges.bin_index
left join bins as reference_bins
    on
        versions.reference_key = reference_bins.reference_key
        and rates.bin_index = reference_bins.bin_index
