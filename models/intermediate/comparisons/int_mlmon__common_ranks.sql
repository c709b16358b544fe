-- One row per pair of versions, window end and span: both versions' roc_auc on the requests that both scored, and the
-- variance of their difference (DeLong, DeLong and Clarke-Pearson 1988). A request's component is the share of those of
-- the other label that it is ranked rightly against, ties counting half; of the difference of two areas it is
-- the difference of both versions' components, and varies as such. Ranks do not merge over windows: a span's scores
-- are sorted anew where its end is touched, and only there.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_common_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_common_ends') }}",
) }}
{%- set sides = ['', 'other_'] %}
{%- set squared = mlmon.square('(value - other_value)') %}

with

pairs as (
    select pairs.*
    from {{ ref('int_mlmon__version_pairs') }} as pairs
    inner join {{ ref('int_mlmon__touched_common_ends') }} as touched
        on pairs.window_key = touched.window_key
),

scored as (
    select
        pairs.window_key,
        pairs.monitor_key,
        pairs.champion_version,
        pairs.window_index,
        pairs.span_windows,
        scores.score,
        scores.other_score,
        scores.is_positive,
        cast(scores.n as {{ mlmon.type_double() }}) as n,
        cast(case when scores.is_positive then scores.n else 0 end as {{ mlmon.type_double() }})
            as n_positive,
        cast(case when scores.is_positive then 0 else scores.n end as {{ mlmon.type_double() }})
            as n_negative
    from pairs
    inner join {{ ref('int_mlmon__common_scores') }} as scores
        on
            pairs.monitor = scores.monitor
            and pairs.model_version = scores.model_version
            and pairs.champion_version = scores.other_version
            and scores.window_index between pairs.first_index and pairs.window_index
),

ranked as (
    select
        scored.*,
        sum(n_positive) over whole as positives,
        sum(n_negative) over whole as negatives
        {%- for side in sides %},
        sum(n_positive) over {{ side }}rising - 0.5 * sum(n_positive) over {{ side }}ties
            as {{ side }}positives_below,
        sum(n_negative) over {{ side }}rising - 0.5 * sum(n_negative) over {{ side }}ties
            as {{ side }}negatives_below
        {%- endfor %}
    from scored
    window
        whole as (partition by window_key, champion_version, span_windows)
        {%- for side in sides %},
        {{ side }}rising as (
            partition by window_key, champion_version, span_windows
            order by {{ side }}score
            range between unbounded preceding and current row
        ),
        {{ side }}ties as (
            partition by
                window_key, champion_version, span_windows, {{ side }}score
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
        window_key,
        monitor_key,
        champion_version,
        window_index,
        span_windows,
        max(positives) as positives,
        max(negatives) as negatives,
        sum(n_positive * component) / nullif(max(positives), 0) as value,
        sum(n_positive * other_component) / nullif(max(positives), 0) as other_value,
        sum(n_positive * {{ mlmon.square('(component - other_component)') }}) as positive_squares,
        sum(n_negative * {{ mlmon.square('(component - other_component)') }}) as negative_squares
    from components
    group by window_key, monitor_key, champion_version, window_index, span_windows
),

varied as (
    select
        areas.*,
        value - other_value as difference,
        case
            when positives > 1 and negatives > 1
                then
                    greatest(0, positive_squares - positives * {{ squared }})
                    / (positives - 1) / positives
                    + greatest(0, negative_squares - negatives * {{ squared }})
                    / (negatives - 1) / negatives
        end as variance
    from areas
)

select
    window_key,
    monitor_key,
    champion_version,
    window_index,
    span_windows,
    cast('roc_auc' as {{ dbt.type_string() }}) as metric,
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
    'delong' as method
from varied
