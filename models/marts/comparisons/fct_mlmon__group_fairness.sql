-- One row per monitor, version, closed window end, segment that fairness asks for, group and rate: the group's rate against
-- that of all other groups together. A difference counts when it is large and unlikely to be chance.
with

rates as (
    select * from {{ ref('int_mlmon__group_rates') }}
),

judged as (
    select
        rates.*,
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
            -- A difference of the warning's size could be there and not be seen.
            when
                greatest(difference_high - difference, difference - difference_low)
                > 0.1 * (1 + 1e-12)
                then 'sample_too_small'
            when {{ mlmon.reaches('abs(difference)', '0.1') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from rates
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
