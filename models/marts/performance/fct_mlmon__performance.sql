-- One row per monitor, version, closed window end, span, segment, metric, class and label age: the
-- metric of all labelled predictions of the span, with its interval, coverage and maturity. It is
-- not a verdict: that is fct_mlmon__degradation. A view: stored metrics change only with labels,
-- while how complete those labels are changes as time passes and is joined to them here.
{{ config(materialized='view') }}

with

covered as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__span_coverage') }}
),

measured as {{ mlmon.inlined() }} (
    {{ mlmon.metric_values() }}
),

-- A metric without any label yet has a row, too; those of single classes only where the class
-- occurs.
shown as (
    {%- for class_condition in ['=', '<>'] %}
    {%- set is_whole = class_condition == '=' %}
    {%- if not is_whole %}

    union all
    {% endif %}
    select
        covered.*,
        {%- if is_whole %}
        metrics.metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        {%- else %}
        measured.metric,
        measured.class_label,
        {%- endif %}
        measured.value,
        measured.value_error,
        measured.value_low,
        measured.value_high,
        measured.interval_method,
        measured.variance,
        measured.n,
        measured.n_excluded
    from covered
    {%- if is_whole %}
    inner join ({{ mlmon.computed_metric_settings() }}) as metrics
        on covered.monitor = metrics.monitor
    left join measured
    {%- else %}
    inner join measured
    {%- endif %}
        on
            covered.monitor = measured.monitor
            and covered.window_key = measured.window_key
            and covered.span_windows = measured.span_windows
            and covered.label_age = measured.label_age
            and covered.segment_name = measured.segment_name
            and covered.segment_value = measured.segment_value
            {%- if is_whole %}
            and metrics.metric = measured.metric
            {%- endif %}
            and measured.class_label {{ class_condition }} 'all'
    {%- endfor %}
),

rated as (
    select
        shown.*,
        case
            when n_labelled = 0 then 'no_labels'
            when value is null then 'undefined'
            else 'not_judged_here'
        end as reason_code
    from shown
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.metric,
    rated.class_label,
    rated.label_age,
    cast(rated.label_age_days as integer) as label_age_days,
    rated.is_horizon,
    rated.value,
    rated.value_error,
    rated.value_low,
    rated.value_high,
    case when rated.value_low is not null then rated.interval_method end as interval_method,
    sqrt(rated.variance) as standard_error,
    coalesce(rated.n, 0) as n,
    coalesce(rated.n_excluded, 0) as n_excluded,
    rated.n_predictions,
    rated.label_coverage,
    rated.expected_label_coverage,
    rated.is_complete,
    rated.is_mature,
    case
        when rated.reason_code = 'not_judged_here' then 'not_judged' else 'insufficient_data'
    end as status,
    cast(case when rated.reason_code = 'not_judged_here' then 0 else 3 end as integer)
        as status_rank,
    rated.reason_code
from rated
