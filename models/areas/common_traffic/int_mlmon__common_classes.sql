-- One row per pair of versions, window end, span and metric of predicted classes: the value of both
-- versions on the requests that both scored, the difference with its variance, and how likely
-- chance makes it. fct_mlmon__version_comparison shows it: on common requests, traffic cannot
-- explain a difference.
{{ config(
    enabled=mlmon.is_asked_for('common_traffic'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__stale_common_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__stale_common_ends') }}",
) }}
{%- set keys = ['window_key', 'monitor_key', 'champion_version', 'window_index', 'span_windows'] %}
{%- set key = keys | join(', ') %}
{%- set sides = ['', 'other_'] %}
{%- set double = mlmon.type_double() %}
{%- set text = dbt.type_string() %}
{%- set cells = {'tp': ('1', '1'), 'fp': ('0', '1'), 'fn': ('1', '0'), 'tn': ('0', '0')} %}

with

pairs as (
    select pairs.*
    from ({{ mlmon.version_pairs() }}) as pairs
    inner join {{ ref('int_mlmon__stale_common_ends') }} as stale
        on pairs.window_key = stale.window_key
),

ranges as (
    select
        monitor,
        min(first_index) as first_index,
        max(window_index) as last_index
    from pairs
    group by monitor
),

-- For binary monitors the label and both predicted classes, for multiclass ones only whether each
-- was right.
classed as (
    select
        common.monitor,
        common.model_version,
        common.other_version,
        common.window_index,
        case when settings.task = 'multiclass' then 'right' else common.label_class end
            as label_class
        {%- for side in sides %},
        case
            when settings.task = 'binary' then common.{{ side }}prediction_class
            when common.{{ side }}prediction_class = common.label_class then 'right'
            else 'wrong'
        end as {{ side }}predicted_class
        {%- endfor %}
    from {{ ref('int_mlmon__common_predictions') }} as common
    inner join ranges
        on
            common.monitor = ranges.monitor
            and common.window_index between ranges.first_index and ranges.last_index
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            common.monitor = settings.monitor
            and settings.task in ('binary', 'multiclass')
    where
        common.prediction_class is not null
        and common.other_prediction_class is not null
        and common.label_class is not null
),

window_counts as (
    select
        monitor,
        model_version,
        other_version,
        window_index,
        label_class,
        predicted_class,
        other_predicted_class,
        count(*) as n
    from classed
    group by
        monitor, model_version, other_version, window_index, label_class, predicted_class,
        other_predicted_class
),

counts as (
    select
        pairs.{{ keys | join(', pairs.') }},
        window_counts.label_class,
        window_counts.predicted_class,
        window_counts.other_predicted_class,
        cast(sum(window_counts.n) as {{ double }}) as n
    from pairs
    inner join window_counts
        on
            pairs.monitor = window_counts.monitor
            and pairs.model_version = window_counts.model_version
            and pairs.champion_version = window_counts.other_version
            and window_counts.window_index between pairs.first_index and pairs.window_index
    group by
        pairs.{{ keys | join(', pairs.') }}, window_counts.label_class,
        window_counts.predicted_class, window_counts.other_predicted_class
),

-- A ratio of two counts: a request's influence on it is (part - value * whole) / sum of wholes.
ratio_terms as (
    {%- for metric, ratio in mlmon.common_ratios().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ key }},
        cast('{{ metric }}' as {{ text }}) as metric,
        n
        {%- for side in sides %}
        {%- for name, weights in ratio.items() %},
        case
            {%- for cell, weight in weights.items() %}
            when
                label_class = '{{ cells[cell][0] }}'
                and {{ side }}predicted_class = '{{ cells[cell][1] }}'
                then {{ weight }}.0
            {%- endfor %}
            {%- if metric == 'accuracy' %}
            when
                label_class = 'right'
                {{- " and %spredicted_class = 'right'" % side if name == 'part' }}
                then 1.0
            {%- endif %}
            else 0.0
        end as {{ side }}{{ name }}
        {%- endfor %}
        {%- endfor %}
    from counts
    {%- endfor %}
),

ratio_sums as (
    select
        ratio_terms.*
        {%- for side in sides %}
        {%- for sum in ['part', 'whole'] %},
        sum(n * {{ side }}{{ sum }}) over (partition by {{ key }}, metric)
            as {{ side }}{{ sum }}_sum
        {%- endfor %}
        {%- endfor %}
    from ratio_terms
),

-- Metrics that weigh both classes: a request's influence is the gradient by the count that it is
-- part of.
matrices as (
    select
        counts.*
        {%- for side in sides %}
        {%- for cell, (label, predicted) in cells.items() %},
        sum(
            case
                when label_class = '{{ label }}' and {{ side }}predicted_class = '{{ predicted }}'
                    then n
                else 0
            end
        ) over (partition by {{ key }}) as {{ side }}{{ cell }}
        {%- endfor %}
        {%- endfor %}
    from counts
    where label_class in ('0', '1')
),

influences as (
    select
        {{ key }},
        metric,
        n,
        part,
        other_part
        {%- for side in sides %},
        {{ side }}part_sum / nullif({{ side }}whole_sum, 0) as {{ side }}value,
        ({{ side }}part - {{ side }}part_sum / nullif({{ side }}whole_sum, 0) * {{ side }}whole)
        / nullif({{ side }}whole_sum, 0) as {{ side }}influence
        {%- endfor %}
    from ratio_sums
    {%- for metric in ['balanced_accuracy', 'mcc'] %}

    union all

    select
        {{ key }},
        cast('{{ metric }}' as {{ text }}) as metric,
        n,
        null as part,
        null as other_part
        {%- for side in sides %}
        {%- set counts = [side ~ 'tp', side ~ 'fp', side ~ 'fn', side ~ 'tn'] %}
        {%- if metric == 'mcc' %}
        {%- set value = mlmon.mcc_value(*counts) %}
        {%- set gradients = mlmon.mcc_gradients(value, *counts) %}
        {%- else %}
        {%- set value = mlmon.balanced_accuracy_value(*counts) %}
        {%- set gradients = mlmon.balanced_accuracy_gradients(*counts) %}
        {%- endif %},
        {{ value }} as {{ side }}value,
        case
            {%- for cell, (label, predicted) in cells.items() %}
            when label_class = '{{ label }}' and {{ side }}predicted_class = '{{ predicted }}'
                then {{ gradients[cell] }}
            {%- endfor %}
        end as {{ side }}influence
        {%- endfor %}
    from matrices
    {%- endfor %}
),

-- The difference of two metrics varies as that of the influences, which add up to zero over all
-- requests.
classes as (
    select
        {{ key }},
        metric,
        sum(n) as n,
        max(value) as value,
        max(other_value) as other_value,
        max(value) - max(other_value) as difference,
        sum(n * {{ mlmon.square('(influence - other_influence)') }}) as variance,
        sum(case when part > other_part then n else 0 end) as n_better,
        sum(case when part < other_part then n else 0 end) as n_worse,
        -- Both versions have the same denominator: only the requests on which they disagree matter.
        case
            when
                metric in ('{{ mlmon.ratios_regardless_of('predicted', 'whole') | join("', '") }}')
                then 'mcnemar'
            else 'delta'
        end as method
    from influences
    group by {{ key }}, metric
)

select
    classes.*,
    case
        when method = 'mcnemar'
            then
                case
                    when difference is not null
                        then {{ mlmon.mcnemar_p('n_better', 'n_worse') }}
                end
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value
from classes
