-- One row per pair of versions, window end, span and metric of classes: both versions' value on the requests that both
-- scored, and the variance of their difference. A metric is a ratio of two sums over requests; a request's influence on
-- it is (part - value * whole) / sum of wholes, and the difference of two metrics varies as that of the influences.
{%- set terms = {
    'accuracy': ("{0} = label_class", "true"),
    'precision': ("{0} = '1' and label_class = '1'", "{0} = '1'"),
    'recall': ("{0} = '1' and label_class = '1'", "label_class = '1'"),
    'specificity': ("{0} = '0' and label_class = '0'", "label_class = '0'"),
    'predicted_positive_rate': ("{0} = '1'", "label_class <> 'right'"),
    'f1': ("{0} = '1' and label_class = '1'", "{0} = '1'"),
} %}

with

pairs as (
    select * from {{ ref('int_mlmon__version_pairs') }}
),

cells as (
    select
        pairs.monitor_key,
        pairs.champion_version,
        pairs.window_index,
        pairs.span_windows,
        counts.label_class,
        counts.predicted_class,
        counts.other_predicted_class,
        sum(counts.n) as n
    from pairs
    inner join {{ ref('int_mlmon__common_counts') }} as counts
        on
            pairs.monitor = counts.monitor
            and pairs.model_version = counts.model_version
            and pairs.champion_version = counts.other_version
            and counts.window_index between pairs.first_index and pairs.window_index
    group by
        pairs.monitor_key, pairs.champion_version, pairs.window_index, pairs.span_windows,
        counts.label_class, counts.predicted_class, counts.other_predicted_class
),

terms as (
    {%- for metric, term in terms.items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor_key,
        champion_version,
        window_index,
        span_windows,
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast(n as {{ mlmon.type_double() }}) as n
        {%- for side, class in [('', 'predicted_class'), ('other_', 'other_predicted_class')] %},
        {%- if metric == 'f1' %}
        case when {{ term[0].format(class) }} then 2.0 else 0.0 end as {{ side }}part,
        case when {{ term[1].format(class) }} then 1.0 else 0.0 end
        + case when label_class = '1' then 1.0 else 0.0 end as {{ side }}whole
        {%- else %}
        case when {{ term[0].format(class) }} then 1.0 else 0.0 end as {{ side }}part,
        case when {{ term[1].format(class) }} then 1.0 else 0.0 end as {{ side }}whole
        {%- endif %}
        {%- endfor %}
    from cells
    {%- endfor %}
),

totalled as (
    select
        terms.*,
        {%- for side in ['', 'other_'] %}
        {%- for sum in ['part', 'whole'] %}
        sum(n * {{ side }}{{ sum }}) over (
            partition by monitor_key, champion_version, window_index, span_windows, metric
        ) as {{ side }}{{ sum }}_sum{{ ',' if not (loop.last and side) }}
        {%- endfor %}
        {%- endfor %}
    from terms
),

influences as (
    select
        totalled.*,
        {%- for side in ['', 'other_'] %}
        {{ side }}part_sum / nullif({{ side }}whole_sum, 0) as {{ side }}value,
        ({{ side }}part - {{ side }}part_sum / nullif({{ side }}whole_sum, 0) * {{ side }}whole)
        / nullif({{ side }}whole_sum, 0) as {{ side }}influence{{ ',' if not loop.last }}
        {%- endfor %}
    from totalled
),

compared as (
    select
        monitor_key,
        champion_version,
        window_index,
        span_windows,
        metric,
        sum(n) as n,
        max(value) as value,
        max(other_value) as other_value,
        max(value) - max(other_value) as difference,
        sum(n * {{ mlmon.square('(influence - other_influence)') }}) as variance,
        sum(case when part > other_part then n else 0 end) as n_better,
        sum(case when part < other_part then n else 0 end) as n_worse
    from influences
    group by monitor_key, champion_version, window_index, span_windows, metric
)

select
    compared.*,
    case
        when difference is null then null
        -- Both have one denominator: only the requests on which they disagree tell.
        when metric in ('accuracy', 'recall', 'specificity', 'predicted_positive_rate')
            then {{ mlmon.mcnemar_p('n_better', 'n_worse') }}
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value,
    case
        when metric in ('accuracy', 'recall', 'specificity', 'predicted_positive_rate')
            then 'mcnemar'
        else 'delta'
    end as method
from compared
