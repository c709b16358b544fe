-- One row per pair of versions, window end, span and metric that weighs both classes of a binary monitor: both versions'
-- value on the requests that both scored, and the variance of their difference. A request's influence on a metric is the
-- metric's gradient by the count that the request is part of, which sums to nothing over all requests.
{%- set sides = ['', 'other_'] %}
{%- set cells = {'tp': ('1', '1'), 'fp': ('0', '1'), 'fn': ('1', '0'), 'tn': ('0', '0')} %}
{%- set keys = ['monitor_key', 'champion_version', 'window_index', 'span_windows'] %}
{%- set double = mlmon.type_double() %}

with

pairs as (
    select * from {{ ref('int_mlmon__version_pairs') }}
),

counted as (
    select
        pairs.monitor_key,
        pairs.champion_version,
        pairs.window_index,
        pairs.span_windows,
        counts.label_class,
        counts.predicted_class,
        counts.other_predicted_class,
        cast(sum(counts.n) as {{ double }}) as n
    from pairs
    inner join {{ ref('int_mlmon__common_counts') }} as counts
        on
            pairs.monitor = counts.monitor
            and pairs.model_version = counts.model_version
            and pairs.champion_version = counts.other_version
            and counts.window_index between pairs.first_index and pairs.window_index
    -- Of multiclass monitors only whether each was right is counted.
    where counts.label_class in ('0', '1')
    group by
        pairs.monitor_key, pairs.champion_version, pairs.window_index, pairs.span_windows,
        counts.label_class, counts.predicted_class, counts.other_predicted_class
),

totalled as (
    select
        counted.*
        {%- for side in sides %}
        {%- for cell, (label, predicted) in cells.items() %},
        sum(
            case
                when label_class = '{{ label }}' and {{ side }}predicted_class = '{{ predicted }}'
                    then n
                else 0
            end
        ) over (partition by {{ keys | join(', ') }}) as {{ side }}{{ cell }}
        {%- endfor %}
        {%- endfor %}
    from counted
),

influences as (
    {%- for metric in ['balanced_accuracy', 'mcc'] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ keys | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        n
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
    from totalled
    {%- endfor %}
),

compared as (
    select
        {{ keys | join(', ') }},
        metric,
        sum(n) as n,
        max(value) as value,
        max(other_value) as other_value,
        max(value) - max(other_value) as difference,
        sum(n * {{ mlmon.square('(influence - other_influence)') }}) as variance
    from influences
    group by {{ keys | join(', ') }}, metric
)

select
    compared.*,
    case
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value,
    'delta' as method
from compared
