-- One row per window, window of another version that scored some of the same requests, and metric that is a mean of what each
-- request's prediction or score lost: both versions' means, and the squared deviations of each and of their paired
-- differences, about their means, so that they merge over windows without loss. Left out are missing and infinite
-- values, those beyond 1e70, and scores that are no probability.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    pre_hook="{{ mlmon.forget_other_windows() }}",
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}
{%- set keys = [
    'window_key', 'other_window_key', 'monitor', 'model_version', 'other_version', 'window_index',
] %}

with

common as (
    select
        predictions.*,
        settings.task,
        settings.quantile,
        settings.has_score
    from {{ ref('int_mlmon__common_predictions') }} as predictions
    inner join {{ ref('int_mlmon__settings') }} as settings
        on predictions.monitor = settings.monitor
),

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

terms as (
    {%- set theirs = mlmon.common_mean_terms('other_') %}
    {%- for metric, term in mlmon.common_mean_terms().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ keys | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        {{ term }} as term,
        {{ theirs[metric] }} as other_term
    from {{ 'scores' if metric in ('brier', 'log_loss') else 'errors' }}
    {%- endfor %}
)

select
    window_key,
    other_window_key,
    monitor,
    model_version,
    other_version,
    cast(window_index as bigint) as window_index,
    metric,
    cast(count(*) as bigint) as n,
    avg(term) as value,
    avg(other_term) as other_value,
    avg(term - other_term) as difference,
    count(*) * var_pop(term) as own_squares,
    count(*) * var_pop(other_term) as other_squares,
    count(*) * var_pop(term - other_term) as squares
from terms
where term is not null
group by {{ keys | join(', ') }}, metric
