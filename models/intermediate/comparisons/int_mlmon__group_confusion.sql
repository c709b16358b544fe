-- One row per monitor, version, closed window end, segment that fairness asks for, and group: the confusion counts of the
-- longest span at the horizon age, of the group and of all other groups together.
{{ config(materialized='view') }}

with

rates as (
    select performance.*
    from {{ ref('fct_mlmon__performance') }} as performance
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            performance.monitor = label_ages.monitor
            and performance.label_age = label_ages.label_age
            and label_ages.is_horizon
    inner join ({{ mlmon.fairness_settings() }}) as asked
        on
            performance.monitor = asked.monitor
            and performance.segment_name = asked.segment_name
    where performance.metric in ('recall', 'specificity')
),

groups_of_ends as (
    select
        rates.monitor_key,
        rates.monitor,
        rates.model_version,
        rates.window_start,
        rates.window_end,
        rates.window_date,
        rates.span_windows,
        rates.segment_name,
        rates.segment_value,
        rates.label_age,
        rates.label_age_days,
        spans.is_judged,
        max(rates.label_coverage) as label_coverage,
        max(rates.expected_label_coverage) as expected_label_coverage,
        bool_or(rates.is_mature) as is_mature,
        {%- for metric, cell, n in [
            ('recall', 'tp', 'n_positive'), ('specificity', 'tn', 'n_negative'),
        ] %}
        sum(
            case
                when rates.metric = '{{ metric }}'
                    then {{ mlmon.count_of('rates.value', 'rates.n') }}
            end
        ) as {{ cell }},
        sum(case when rates.metric = '{{ metric }}' then rates.n end) as {{ n }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from rates
    inner join {{ ref('int_mlmon__version_spans') }} as spans
        on
            rates.monitor_key = spans.monitor_key
            and rates.window_end = spans.window_end
            and rates.span_windows = spans.span_windows
            and spans.is_default_span
    group by
        rates.monitor_key, rates.monitor, rates.model_version, rates.window_start,
        rates.window_end, rates.window_date, rates.span_windows, rates.segment_name,
        rates.segment_value, rates.label_age, rates.label_age_days, spans.is_judged
),

cells as (
    select
        groups_of_ends.*,
        n_negative - tn as fp,
        n_positive - tp as fn
    from groups_of_ends
)

select
    cells.*,
    {%- for cell in ['tp', 'fp', 'fn', 'tn'] %}
    sum({{ cell }}) over (
        partition by monitor_key, window_end, span_windows, segment_name
    ) - {{ cell }} as others_{{ cell }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from cells
