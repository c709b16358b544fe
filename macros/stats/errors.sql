{# What a prediction of a number lost, by its error: relative to the label, to both, and as a quantile. NULL of labels of 0. #}
{% macro error_losses(error, prediction) %}
    {{- return({
        'relative': "case when abs(label_value) >= 1e-70 then abs(" ~ error ~ " / label_value) end",
        'symmetric': "case when abs(label_value) + abs(" ~ prediction ~ ") > 0 then 2 * abs(" ~ error
            ~ ") / (abs(label_value) + abs(" ~ prediction ~ ")) else 0 end",
        'pinball': "case when quantile is not null then greatest((0 - quantile) * " ~ error ~ ", (1 - quantile) * " ~ error
            ~ ") end",
    }) -}}
{% endmacro %}

{# The columns of int_mlmon__error_sums by what they sum, of `error`, `label_value` and `deviation` of a row. #}
{% macro error_terms() %}
    {%- set losses = mlmon.error_losses('error', 'prediction_value') -%}
    {{- return({
        'error_sum': 'error',
        'absolute_sum': 'abs(error)',
        'error_squares': 'error * error',
        'error_fourths': 'error * error * error * error',
        'relative_sum': losses.relative,
        'relative_squares': 'power(' ~ losses.relative ~ ', 2)',
        'symmetric_sum': losses.symmetric,
        'symmetric_squares': 'power(' ~ losses.symmetric ~ ', 2)',
        'pinball_sum': losses.pinball,
        'pinball_squares': 'power(' ~ losses.pinball ~ ', 2)',
        'label_squares': 'deviation * deviation',
        'label_cubes': 'deviation * deviation * deviation',
        'label_fourths': 'deviation * deviation * deviation * deviation',
        'error_squares_by_label': 'error * error * deviation',
        'error_squares_by_label_squares': 'error * error * deviation * deviation',
    }) -}}
{% endmacro %}

{# The sums over the rows of one group. Missing relative errors are those of labels that are 0. #}
{% macro error_sums() -%}
    count(error) as n,
        count(*) - count(error) as n_excluded,
        count(case when error is not null and abs(label_value) >= 1e-70 then 1 end) as n_relative,
        avg(case when error is not null then label_value end) as label_mean,
        min(case when error is not null then label_value end) as label_min,
        max(case when error is not null then label_value end) as label_max
    {%- for name, term in mlmon.error_terms().items() %},
        sum(case when error is not null then {{ term }} end) as {{ name }}
    {%- endfor %}
{%- endmacro %}

{% macro error_sum_columns(relation) -%}
    cast({{ relation }}.n as bigint) as n,
    cast({{ relation }}.n_excluded as bigint) as n_excluded,
    cast({{ relation }}.n_relative as bigint) as n_relative,
    {{ relation }}.label_mean,
    {{ relation }}.label_min,
    {{ relation }}.label_max
    {%- for name in mlmon.error_terms() %},
    {{ relation }}.{{ name }}
    {%- endfor %}
{%- endmacro %}

{#
    The sums over several windows, from a relation of their rows with `shift`: the mean of the row's labels less that of
    all. Moments about the row's own mean move to the common one by the binomial theorem.
#}
{% macro merged_error_sums() -%}
    sum(n) as n,
        sum(n_excluded) as n_excluded,
        sum(n_relative) as n_relative,
        min(label_min) as label_min,
        max(label_max) as label_max
    {%- for name in mlmon.error_terms() if 'label' not in name %},
        sum({{ name }}) as {{ name }}
    {%- endfor %},
        sum(label_squares + n * shift * shift) as label_squares,
        sum(
            label_fourths + 4 * shift * label_cubes + 6 * shift * shift * label_squares
            + n * shift * shift * shift * shift
        ) as label_fourths,
        sum(
            error_squares_by_label_squares + 2 * shift * error_squares_by_label
            + shift * shift * error_squares
        ) as error_squares_by_label_squares
{%- endmacro %}

{#
    The metrics of regression from one relation of merged sums, below each other: the given columns, metric, class_label, value,
    variance, n, n_excluded, value_low, value_high, interval_method. Means have the normal interval of their sample's standard
    deviation, rmse and r2 that of the delta method; where a few rows are most of what is summed, mean_bound().
#}
{% macro regression_metrics(relation, columns) %}
    {%- set double = mlmon.type_double() -%}
    {%- for metric, parts in {
        'mae': ('absolute_sum', 'error_squares', 'n'),
        'mse': ('error_squares', 'error_fourths', 'n'),
        'bias': ('error_sum', 'error_squares', 'n'),
        'mape': ('relative_sum', 'relative_squares', 'n_relative'),
        'smape': ('symmetric_sum', 'symmetric_squares', 'n'),
        'pinball_loss': ('pinball_sum', 'pinball_squares', 'n'),
    }.items() %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        mean as value,
        variance,
        cast({{ parts[2] }} as bigint) as n,
        cast(n_excluded {{- ' + n - n_relative' if metric == 'mape' }} as bigint) as n_excluded,
        {%- if metric == 'bias' %}
        mean - 1.959963984540054 * sqrt(variance) as value_low,
        mean + 1.959963984540054 * sqrt(variance) as value_high,
        cast('normal' as {{ dbt.type_string() }}) as interval_method
        {%- else %}
        {{ mlmon.mean_bound('mean', 'sqrt(variance)', 'n_effective', '-') }} as value_low,
        {{ mlmon.mean_bound('mean', 'sqrt(variance)', 'n_effective', '+') }} as value_high,
        {{ mlmon.mean_method('n_effective', 'normal') }} as interval_method
        {%- endif %}
    from (
        select
            sums.*,
            {{ parts[0] }} / nullif({{ parts[2] }}, 0) as mean,
            {{ mlmon.mean_variance(parts[0], parts[1], parts[2]) }} as variance,
            {{ mlmon.effective_n(parts[0], parts[1]) }} as n_effective
        from {{ relation }} as sums
    ) as means
    where {{ "pinball_sum is not null" if metric == 'pinball_loss' else "true" }}

    union all
    {% endfor %}
    select
        {{ columns | join(', ') }},
        cast('rmse' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        root as value,
        case when root > 0 then variance / (4 * root * root) when n > 1 then 0 end as variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case
            when root > 0
                then {{ mlmon.mean_bound('root', '(sqrt(variance) / (2 * root))', 'n_effective', '-') }}
            when n > 1 then 0
        end as value_low,
        case
            when root > 0
                then {{ mlmon.mean_bound('root', '(sqrt(variance) / (2 * root))', 'n_effective', '+') }}
            when n > 1 then 0
        end as value_high,
        {{ mlmon.mean_method('n_effective', 'delta') }} as interval_method
    from (
        select
            sums.*,
            sqrt(error_squares / nullif(n, 0)) as root,
            {{ mlmon.mean_variance('error_squares', 'error_fourths', 'n') }} as variance,
            {{ mlmon.effective_n('error_squares', 'error_fourths') }} as n_effective
        from {{ relation }} as sums
    ) as roots

    union all

    select
        {{ columns | join(', ') }},
        cast('r2' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        r2 as value,
        variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        -- 1 - r2 is a mean of squares over another, and uncertain like one.
        case
            when r2 < 1 then 1 - {{ mlmon.mean_bound('(1 - r2)', 'sqrt(variance)', 'n_effective', '+') }}
            else r2 - 1.959963984540054 * sqrt(variance)
        end as value_low,
        case
            when r2 < 1
                then 1 - {{ mlmon.mean_bound('(1 - r2)', 'sqrt(variance)', 'n_effective', '-') }}
            else least(1, r2 + 1.959963984540054 * sqrt(variance))
        end as value_high,
        {{ mlmon.mean_method('n_effective', 'delta') }} as interval_method
    from (
        select
            sums.*,
            case when label_max > label_min then 1 - error_squares / nullif(label_squares, 0) end
                as r2,
            -- The variance of the mean of (e^2 - q d^2) / S, where q is the ratio of both sums and S the labels' variance.
            case
                when n > 1 and label_max > label_min
                    then greatest(0, (
                        error_fourths
                        - 2 * (error_squares / nullif(label_squares, 0)) * error_squares_by_label_squares
                        + power(error_squares / nullif(label_squares, 0), 2) * label_fourths
                    ) / nullif(label_squares, 0) / nullif(label_squares, 0) * n / (n - 1))
            end as variance,
            {{ mlmon.effective_n('error_squares', 'error_fourths') }} as n_effective
        from {{ relation }} as sums
    ) as ratios
{% endmacro %}

{#
    The median absolute error from cells of the sizes of errors, with the interval between two order statistics: the given
    columns and those of regression_metrics(), and value_error. An order statistic lies between the least and the greatest
    error of the cell that has its rank. For the median, ranks are spread evenly between these; the interval reaches to them.

    sums: a relation of the given columns, n and n_excluded; cells: one of the given columns, cell, n, value_min, value_max
#}
{% macro median_error_metric(sums, cells, columns) %}
    {%- set wanted = {
        'lower': 'floor((n_all + 1) / 2.0)',
        'upper': 'ceil((n_all + 1) / 2.0)',
        'low': 'floor(0.5 * n_all - 0.979981992270027 * sqrt(n_all))',
        'high': 'ceil(1 + 0.5 * n_all + 0.979981992270027 * sqrt(n_all))',
    } %}
    with ranked as (
        select
            {{ columns | join(', ') }},
            n,
            value_min,
            value_max,
            cast(sum(n) over rising as {{ mlmon.type_double() }}) as last_rank,
            cast(sum(n) over whole as {{ mlmon.type_double() }}) as n_all
        from {{ cells }}
        window
            rising as (
                partition by {{ columns | join(', ') }} order by cell
                rows between unbounded preceding and current row
            ),
            whole as (
                partition by {{ columns | join(', ') }} order by cell
                rows between unbounded preceding and unbounded following
            )
    ),

    found as (
        select
            {{ columns | join(', ') }}
            {%- for name, value in {
                'lower': mlmon.order_statistic(wanted.lower), 'upper': mlmon.order_statistic(wanted.upper),
                'low': 'value_min', 'high': 'value_max',
            }.items() %},
            max(case
                when {{ wanted[name] }} > last_rank - n and {{ wanted[name] }} <= last_rank then {{ value }}
            end) as {{ name }}_value
            {%- endfor %},
            max(case
                when {{ wanted.upper }} > last_rank - n and {{ wanted.lower }} <= last_rank
                    then value_max - value_min
            end) as width
        from ranked
        -- No cell that begins after the highest of the ranks, or ends before the lowest, holds one.
        where {{ wanted.low }} <= last_rank and {{ wanted.high }} > last_rank - n
        group by {{ columns | join(', ') }}
    )

    select
        {%- for column in columns %}
        sums.{{ column }},
        {%- endfor %}
        cast('median_absolute_error' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        (found.lower_value + found.upper_value) / 2 as value,
        -- As if the interval were a normal one.
        power((found.high_value - found.low_value) / 3.919927969080108, 2) as variance,
        cast(sums.n as bigint) as n,
        cast(sums.n_excluded as bigint) as n_excluded,
        found.low_value as value_low,
        found.high_value as value_high,
        cast('order_statistics' as {{ dbt.type_string() }}) as interval_method,
        found.width as value_error
    from {{ sums }} as sums
    left join found
        on
            {%- for column in columns %}
            {{ 'and ' if not loop.first }}sums.{{ column }} = found.{{ column }}
            {%- endfor %}
{% endmacro %}

{# The value at a rank of a cell, from its first rank, which has value_min, to its last, which has value_max. #}
{% macro order_statistic(rank) %}
    {{- return(
        "(case when n > 1 then value_min + (value_max - value_min) * (" ~ rank ~ " - last_rank + n - 1) / (n - 1)"
        ~ " else value_min end)"
    ) -}}
{% endmacro %}

{# The variance of a mean, from the sum, the sum of squares and the number of values: the sample variance over n. #}
{% macro mean_variance(total, squares, n) %}
    {{- return(
        "case when " ~ n ~ " > 1 then greatest(0, " ~ squares ~ " - " ~ total ~ " / " ~ n ~ " * " ~ total
        ~ ") / (" ~ n ~ " - 1) / " ~ n ~ " end"
    ) -}}
{% endmacro %}

{# A number whose fourth power is representable or 0: Postgres raises where a product underflows. #}
{% macro without_underflow(x) %}
    {{- return("(case when abs(" ~ x ~ ") < 1e-70 then 0 else " ~ x ~ " end)") -}}
{% endmacro %}
