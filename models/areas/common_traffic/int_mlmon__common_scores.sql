-- One row per pair of versions, window end, span and metric of scores or of predicted numbers: the
-- value of both versions on the requests that both scored, the difference with its variance, and
-- how likely chance makes it. fct_mlmon__version_comparison shows it: on common requests, traffic
-- cannot explain a difference.
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
{%- set parts = {'value': 'own_squares', 'other_value': 'other_squares', 'difference': 'squares'} %}
{%- set squared_difference = mlmon.square('(value - other_value)') %}
{%- set double = mlmon.type_double() %}
{%- set text = dbt.type_string() %}

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

common as (
    select
        predictions.*,
        settings.task,
        settings.quantile,
        settings.has_score
    from {{ ref('int_mlmon__common_predictions') }} as predictions
    inner join ranges
        on
            predictions.monitor = ranges.monitor
            and predictions.window_index between ranges.first_index and ranges.last_index
    inner join {{ ref('int_mlmon__settings') }} as settings
        on predictions.monitor = settings.monitor
),

-- Losses are left out where a value is missing, infinite or beyond 1e70, or a score is no
-- probability.
errors as (
    select
        common.*,
        {{ mlmon.without_underflow('prediction_value - label_value') }} as error,
        {{ mlmon.without_underflow('other_prediction_value - label_value') }} as other_error
    from common
    where
        task = 'regression'
        and abs(prediction_value) < 1e70
        and abs(other_prediction_value) < 1e70
        and abs(label_value) < 1e70
),

scores as (
    select
        common.*,
        case when label_class = '1' then score else 1 - score end as of_label,
        case when label_class = '1' then other_score else 1 - other_score end as other_of_label
    from common
    where
        has_score
        and label_class is not null
        and score between 0 and 1
        and other_score between 0 and 1
),

losses as (
    {%- set theirs = mlmon.common_mean_terms('other_') %}
    {%- for metric, term in mlmon.common_mean_terms().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor,
        model_version,
        other_version,
        window_index,
        cast('{{ metric }}' as {{ text }}) as metric,
        {{ term }} as loss,
        {{ theirs[metric] }} as other_loss
    from {{ 'scores' if metric in ('brier', 'log_loss') else 'errors' }}
    {%- endfor %}
),

-- A mean of losses and the squared deviations about it merge over windows without loss.
window_losses as (
    select
        monitor,
        model_version,
        other_version,
        window_index as loss_index,
        metric,
        cast(count(*) as {{ double }}) as n,
        avg(loss) as value,
        avg(other_loss) as other_value,
        avg(loss - other_loss) as difference,
        count(*) * var_pop(loss) as own_squares,
        count(*) * var_pop(other_loss) as other_squares,
        count(*) * var_pop(loss - other_loss) as squares
    from losses
    where loss is not null
    group by monitor, model_version, other_version, window_index, metric
),

span_losses as (
    select
        pairs.{{ keys | join(',\n        pairs.') }},
        window_losses.metric,
        window_losses.n
        {%- for mean, squares in parts.items() %},
        window_losses.{{ mean }},
        window_losses.{{ squares }}
        {%- endfor %}
    from pairs
    inner join window_losses
        on
            pairs.monitor = window_losses.monitor
            and pairs.model_version = window_losses.model_version
            and pairs.champion_version = window_losses.other_version
            and window_losses.loss_index between pairs.first_index and pairs.window_index
),

shifted as (
    select
        span_losses.*
        {%- for mean in parts %},
        {{ mean }} - sum(n * {{ mean }}) over (partition by {{ key }}, metric)
        / sum(n) over (partition by {{ key }}, metric) as {{ mean }}_shift
        {%- endfor %}
    from span_losses
),

merged as (
    select
        {{ key }},
        metric,
        sum(n) as n
        {%- for mean, squares in parts.items() %},
        sum(n * {{ mean }}) / sum(n) as {{ mean }},
        case
            when sum(n) > 1
                then
                    sum({{ squares }} + n * {{ mlmon.square(mean ~ '_shift') }})
                    / (sum(n) - 1) / sum(n)
        end as {{ mean }}_variance
        {%- endfor %}
    from shifted
    group by {{ key }}, metric
),

-- How the root of each mean moves with it.
roots as (
    select
        merged.*,
        0.5 / nullif(sqrt(value), 0) as slope,
        0.5 / nullif(sqrt(other_value), 0) as other_slope
    from merged
    where metric = 'mse'
),

compared_means as (
    select
        {{ key }},
        metric,
        n,
        value,
        other_value,
        difference,
        difference_variance as variance,
        'paired_normal' as method
    from merged

    union all

    select
        {{ key }},
        'rmse' as metric,
        n,
        sqrt(value) as value,
        sqrt(other_value) as other_value,
        sqrt(value) - sqrt(other_value) as difference,
        -- The variance of slope * loss - other_slope * other_loss, in terms that stay exact where
        -- both slopes are alike.
        slope * other_slope * difference_variance
        + (slope - other_slope) * (slope * value_variance - other_slope * other_value_variance)
            as variance,
        'delta' as method
    from roots
),

-- roc_auc by DeLong, DeLong and Clarke-Pearson 1988. A request's component is the share of those of
-- the other label that it is ranked rightly against, ties counting half. The component of the
-- difference of two areas is the difference of both versions' components, and varies as such. Ranks
-- do not merge over windows: the scores of a span are sorted again.
scored as (
    select
        pairs.{{ keys | join(',\n        pairs.') }},
        common.score,
        common.other_score,
        common.label_class = '1' as is_positive,
        count(*) as n
    from pairs
    inner join common
        on
            pairs.monitor = common.monitor
            and pairs.model_version = common.model_version
            and pairs.champion_version = common.other_version
            and common.window_index between pairs.first_index and pairs.window_index
    where
        common.has_score
        and common.score is not null
        and common.other_score is not null
        and common.label_class is not null
    group by
        pairs.{{ keys | join(', pairs.') }}, common.score, common.other_score, common.label_class
),

counted as (
    select
        scored.*,
        cast(case when is_positive then n else 0 end as {{ double }}) as n_positive,
        cast(case when is_positive then 0 else n end as {{ double }}) as n_negative
    from scored
),

ranked as (
    select
        counted.*,
        sum(n_positive) over whole as positives,
        sum(n_negative) over whole as negatives
        {%- for side in sides %},
        sum(n_positive) over {{ side }}rising - 0.5 * sum(n_positive) over {{ side }}ties
            as {{ side }}positives_below,
        sum(n_negative) over {{ side }}rising - 0.5 * sum(n_negative) over {{ side }}ties
            as {{ side }}negatives_below
        {%- endfor %}
    from counted
    window
        whole as (partition by {{ key }})
        {%- for side in sides %},
        {{ side }}rising as (
            partition by {{ key }}
            order by {{ side }}score
            range between unbounded preceding and current row
        ),
        {{ side }}ties as (
            partition by {{ key }}, {{ side }}score
        )
        {%- endfor %}
),

components as (
    select
        ranked.*
        {%- for side in sides %},
        case
            when is_positive then {{ side }}negatives_below / nullif(negatives, 0)
            else 1 - {{ side }}positives_below / nullif(positives, 0)
        end as {{ side }}component
        {%- endfor %}
    from ranked
),

areas as (
    select
        {{ key }},
        max(positives) as positives,
        max(negatives) as negatives,
        sum(n_positive * component) / nullif(max(positives), 0) as value,
        sum(n_positive * other_component) / nullif(max(positives), 0) as other_value,
        sum(n_positive * {{ mlmon.square('(component - other_component)') }}) as positive_squares,
        sum(n_negative * {{ mlmon.square('(component - other_component)') }}) as negative_squares
    from components
    group by {{ key }}
),

varied as (
    select
        areas.*,
        value - other_value as difference,
        case
            when positives > 1 and negatives > 1
                then
                    greatest(0, positive_squares - positives * {{ squared_difference }})
                    / (positives - 1) / positives
                    + greatest(0, negative_squares - negatives * {{ squared_difference }})
                    / (negatives - 1) / negatives
        end as variance
    from areas
)

select
    {{ key }},
    metric,
    n,
    value,
    other_value,
    difference,
    variance,
    case
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value,
    cast(method as {{ text }}) as method
from compared_means

union all

select
    {{ key }},
    cast('roc_auc' as {{ text }}) as metric,
    positives + negatives as n,
    value,
    other_value,
    difference,
    -- Equal rankings differ by rounding alone.
    case when variance > 1e-24 then variance end as variance,
    case
        when abs(difference) < 1e-12 then 1.0
        when variance > 1e-24 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value,
    cast('delong' as {{ text }}) as method
from varied
