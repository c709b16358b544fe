-- One row per monitor, version, closed window end, segment column under `fairness`, group and rate:
-- the group's rate against that of all other groups together. It shows whether a model treats a
-- group differently; a difference counts when it is large and unlikely to be chance.
{{ config(enabled=mlmon.is_asked_for('fairness')) }}
{%- set ratios = mlmon.confusion_ratios() %}
{%- set rates = {
    'selection_rate': ratios.predicted_positive_rate,
    'tpr': ratios.recall,
    'fpr': {'part': {'fp': 1}, 'whole': ratios.specificity.whole},
    'ppv': ratios.precision,
} %}
{%- set double = mlmon.type_double() %}

with

asked_rates as (
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
        asked_rates.monitor_key,
        asked_rates.monitor,
        asked_rates.model_version,
        asked_rates.window_start,
        asked_rates.window_end,
        asked_rates.window_date,
        asked_rates.span_windows,
        asked_rates.segment_name,
        asked_rates.segment_value,
        asked_rates.label_age,
        asked_rates.label_age_days,
        spans.is_judged,
        max(asked_rates.label_coverage) as label_coverage,
        max(asked_rates.expected_label_coverage) as expected_label_coverage,
        bool_or(asked_rates.is_mature) as is_mature,
        {%- for metric, cell, n in [
            ('recall', 'tp', 'n_positive'), ('specificity', 'tn', 'n_negative'),
        ] %}
        sum(
            case
                when asked_rates.metric = '{{ metric }}'
                    then {{ mlmon.count_of('asked_rates.value', 'asked_rates.n') }}
            end
        ) as {{ cell }},
        sum(case when asked_rates.metric = '{{ metric }}' then asked_rates.n end) as {{ n }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from asked_rates
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            asked_rates.monitor_key = spans.monitor_key
            and asked_rates.window_end = spans.window_end
            and asked_rates.span_windows = spans.span_windows
            and spans.is_default_span
    group by
        asked_rates.monitor_key, asked_rates.monitor, asked_rates.model_version,
        asked_rates.window_start, asked_rates.window_end, asked_rates.window_date,
        asked_rates.span_windows, asked_rates.segment_name, asked_rates.segment_value,
        asked_rates.label_age, asked_rates.label_age_days, spans.is_judged
),

cells as (
    select
        groups_of_ends.*,
        n_negative - tn as fp,
        n_positive - tp as fn
    from groups_of_ends
),

counts as (
    select
        cells.*,
        {%- for cell in ['tp', 'fp', 'fn', 'tn'] %}
        sum({{ cell }}) over (
            partition by monitor_key, window_end, span_windows, segment_name
        ) - {{ cell }} as others_{{ cell }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from cells
),

rates as (
    {%- for metric, ratio in rates.items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        counts.*,
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        {%- for value, n, group in [
            ('value', 'n', ''), ('others_value', 'n_others', 'others_'),
        ] %}
        cast({{ mlmon.weighted_cells(ratio.whole, group) }} as bigint) as {{ n }},
        cast({{ mlmon.weighted_cells(ratio.part, group) }} as {{ double }})
        / nullif({{ mlmon.weighted_cells(ratio.whole, group) }}, 0)
            as {{ value }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counts
    {%- endfor %}
),

bounded as (
    select
        rates.*,
        {{ mlmon.wilson_bound('value', 'nullif(n, 0)', '-') }} as value_low,
        {{ mlmon.wilson_bound('value', 'nullif(n, 0)', '+') }} as value_high,
        {{ mlmon.wilson_bound('others_value', 'nullif(n_others, 0)', '-') }} as others_low,
        {{ mlmon.wilson_bound('others_value', 'nullif(n_others, 0)', '+') }} as others_high
    from rates
),

tested as (
    select
        bounded.*,
        value - others_value as difference,
        {{ mlmon.difference_bound(
            'value', 'value_low', 'value_high', 'others_value', 'others_low', 'others_high', '-'
        ) }} as difference_low,
        {{ mlmon.difference_bound(
            'value', 'value_low', 'value_high', 'others_value', 'others_low', 'others_high', '+'
        ) }} as difference_high,
        value / nullif(others_value, 0) as ratio,
        case
            when value is not null and others_value is not null
                then {{ mlmon.corrected_proportion_p('value', 'n', 'others_value', 'n_others') }}
        end as p_value
    from bounded
),

-- Benjamini-Hochberg over the groups of one window end, segment and rate. Equal p-values share the
-- greatest of their ranks: the minimum below runs over equal values.
ranked as (
    select
        tested.*,
        row_number() over (
            partition by monitor_key, window_end, span_windows, segment_name, metric
            order by p_value nulls last
        ) as p_rank,
        count(p_value) over (
            partition by monitor_key, window_end, span_windows, segment_name, metric
        ) as n_p
    from tested
),

compared as (
    select
        ranked.*,
        case
            when p_value is not null
                then least(1.0, min(p_value * n_p / p_rank) over (
                    partition by monitor_key, window_end, span_windows, segment_name, metric
                    order by p_value desc nulls last
                    range between unbounded preceding and current row
                ))
        end as adjusted_p_value
    from ranked
),

judged as (
    select
        compared.*,
        0.1 as warning,
        0.2 as critical,
        case
            when tp + fp + fn + tn = 0 then 'no_labels'
            when others_tp + others_fp + others_fn + others_tn = 0 then 'one_group'
            when difference is null then 'undefined'
            when not is_judged then 'short_span'
            when {{ mlmon.are_labels_late() }} then 'labels_late'
            when expected_label_coverage is null and not is_mature then 'immature'
            when least(n, n_others) < 30 then 'sample_too_small'
            when
                {{ mlmon.reaches('abs(difference)', '0.2') }}
                and {{ mlmon.is_significant('adjusted_p_value') }}
                then 'above_critical'
            when
                {{ mlmon.reaches('abs(difference)', '0.1') }}
                and {{ mlmon.is_significant('adjusted_p_value') }}
                then 'above_warning'
            -- There may be a difference of the warning's size that so few rows do not show.
            when
                greatest(difference_high - difference, difference - difference_low)
                > 0.1 * (1 + 1e-12)
                then 'sample_too_small'
            when {{ mlmon.reaches('abs(difference)', '0.1') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            when reason_code in ('could_be_chance', 'within_threshold') then 'ok'
            else 'insufficient_data'
        end as verdict
    from judged
)

select
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.metric,
    rated.label_age,
    rated.label_age_days,
    rated.value,
    rated.value_low,
    rated.value_high,
    rated.n,
    rated.others_value,
    rated.n_others,
    rated.difference,
    rated.difference_low,
    rated.difference_high,
    rated.ratio,
    not {{ mlmon.reaches('rated.ratio', '0.8') }} as is_below_four_fifths,
    rated.p_value,
    rated.adjusted_p_value,
    cast(rated.warning as {{ mlmon.type_double() }}) as threshold_warning,
    cast(rated.critical as {{ mlmon.type_double() }}) as threshold_critical,
    rated.label_coverage,
    rated.is_mature,
    rated.verdict as status,
    {{ mlmon.status_rank('rated.verdict') }} as status_rank,
    rated.reason_code,
    {{ mlmon.fairness_reason('rated') }} as reason
from rated
