-- One row per monitor, challenger, champion, closed window end, span and metric: both versions'
-- values at the horizon age, each on its own traffic and, where the monitor has the area
-- common_traffic, both on the requests that both scored. The differences, and how likely chance
-- makes them, tell whether the newer version is better. Empty where a monitor has one version.
with

pairs as (
    {{ mlmon.version_pairs() }}
),

performance as (
    select * from {{ ref('fct_mlmon__performance') }}
    where
        is_horizon
        and segment_name = 'all'
        and class_label = 'all'
        and model_version <> 'all'
),

common as (
    {%- set columns = [
        'monitor_key', 'champion_version', 'window_index', 'span_windows', 'metric', 'n', 'value',
        'other_value', 'difference', 'variance', 'p_value', 'method',
    ] %}
    {%- if mlmon.is_asked_for('common_traffic') %}
    select {{ columns | join(', ') }} from {{ ref('int_mlmon__common_classes') }}
    union all
    select {{ columns | join(', ') }} from {{ ref('int_mlmon__common_scores') }}
    {%- else %}
    select
        {%- for column in columns %}
        cast(null as {{
            dbt.type_string() if column in ('monitor_key', 'champion_version', 'metric', 'method')
            else mlmon.type_double()
        }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endif %}
),

compared as (
    select
        pairs.*,
        challenger.metric,
        challenger.label_age,
        challenger.label_age_days,
        challenger.value,
        challenger.value_low,
        challenger.value_high,
        challenger.n,
        champion.value as champion_value,
        champion.value_low as champion_low,
        champion.value_high as champion_high,
        champion.n as n_champion,
        challenger.value - champion.value as difference,
        coalesce(challenger.interval_method, champion.interval_method) = 'wilson' as is_proportion,
        coalesce(challenger.interval_method, champion.interval_method, '') = 'folded_normal'
            as is_folded,
        {{ mlmon.square('challenger.standard_error') }}
        + {{ mlmon.square('champion.standard_error') }} as variance,
        challenger.is_mature
    from pairs
    inner join performance as challenger
        on
            pairs.monitor_key = challenger.monitor_key
            and pairs.window_end = challenger.window_end
            and pairs.span_windows = challenger.span_windows
    inner join performance as champion
        on
            pairs.champion_key = champion.monitor_key
            and pairs.window_end = champion.window_end
            and pairs.span_windows = champion.span_windows
            and challenger.metric = champion.metric
),

tested as (
    select
        compared.*,
        {%- for end, sign in [('low', '-'), ('high', '+')] %}
        -- The interval of ece says where its true value lies, not how it varies.
        case
            when not is_folded
                then {{ mlmon.difference_bound(
                    'value', 'value_low', 'value_high',
                    'champion_value', 'champion_low', 'champion_high', sign,
                ) }}
        end as difference_{{ end }},
        {%- endfor %}
        case
            when difference is null then null
            when is_proportion
                then {{ mlmon.corrected_proportion_p(
                    'value', 'n', 'champion_value', 'n_champion'
                ) }}
            when difference = 0 then 1.0
            when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
        end as p_value
    from compared
)

select
    {{ mlmon.window_columns('tested') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    tested.champion_version,
    tested.metric,
    tested.label_age,
    tested.label_age_days,
    tested.value,
    tested.n,
    tested.champion_value,
    tested.n_champion,
    tested.difference,
    tested.difference_low,
    tested.difference_high,
    tested.p_value,
    case
        when
            {{ mlmon.is_of_area('common_traffic', 'tested.monitor') }}
            and tested.metric in ('{{ mlmon.common_metrics() | join("', '") }}')
            and (tested.metric <> 'log_loss' or settings.has_score)
            and (tested.metric <> 'balanced_accuracy' or settings.task = 'binary')
            then cast(coalesce(common.n, 0) as bigint)
    end as n_common,
    common.value as common_value,
    common.other_value as common_champion_value,
    common.difference as common_difference,
    {%- for end, sign in [('low', '-'), ('high', '+')] %}
    case
        when common.variance > 0
            then common.difference {{ sign }} 1.959963984540054 * sqrt(common.variance)
    end as common_difference_{{ end }},
    {%- endfor %}
    common.p_value as common_p_value,
    cast(case when common.p_value is not null then common.method end as {{ dbt.type_string() }})
        as common_method,
    tested.is_judged,
    tested.is_mature
from tested
inner join {{ ref('int_mlmon__settings') }} as settings
    on tested.monitor = settings.monitor
left join common
    on
        tested.monitor_key = common.monitor_key
        and tested.champion_version = common.champion_version
        and tested.window_index = common.window_index
        and tested.span_windows = common.span_windows
        and tested.metric = common.metric
