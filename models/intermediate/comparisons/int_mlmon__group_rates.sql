-- One row per monitor, version, closed window end, segment that fairness asks for, group and rate: the group's, that of all
-- other groups together, and their difference with the probability of such a one by chance.
{%- set rates = {
    'selection_rate': ('{0}tp + {0}fp', '{0}tp + {0}fp + {0}fn + {0}tn'),
    'tpr': ('{0}tp', '{0}tp + {0}fn'),
    'fpr': ('{0}fp', '{0}fp + {0}tn'),
    'ppv': ('{0}tp', '{0}tp + {0}fp'),
} %}
{%- set double = mlmon.type_double() %}

with

counts as (
    select * from {{ ref('int_mlmon__group_confusion') }}
),

rates as (
    {%- for metric, parts in rates.items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        counts.*,
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        {%- for value, n, group in [
            ('value', 'n', ''), ('others_value', 'n_others', 'others_'),
        ] %}
        cast({{ parts[1].format(group) }} as bigint) as {{ n }},
        cast({{ parts[0].format(group) }} as {{ double }})
        / nullif({{ parts[1].format(group) }}, 0) as {{ value }}{{ ',' if not loop.last }}
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

-- Benjamini-Hochberg over the groups of one window end, segment and rate. Equal p-values share the greatest of their
-- ranks: the minimum below runs over peers.
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
)

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
