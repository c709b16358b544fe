-- One row per alert rule, series and closed window: the value, the limit it is held against, whether
-- it breaks it, and how the alert stands after it. Computed from the metrics alone, so that a changed
-- rule judges the whole past again. An alert fires after for_windows breaches in a row and stops
-- after resolve_windows without one; a window without a judgement changes nothing. Critical is the
-- same rule applied to critical breaches.
{%- set double = mlmon.type_double() %}
{%- set so_far = "partition by series_id order by window_end
            rows between unbounded preceding and current row" %}
{%- set levels = {'firing': "('warning', 'critical')", 'critical': "('critical')"} %}

with

rules as (
    select * from {{ ref('int_mlmon__alert_rules') }}
    where is_valid
),

monitors as (
    select
        monitor,
        max(default_span_windows) as default_span_windows,
        max(verdict_span_windows) as verdict_span_windows,
        max(label_horizon_days) as label_horizon_days,
        max(primary_metric) as primary_metric
    from {{ ref('dim_mlmon__monitors') }}
    group by monitor
),

known_metrics as (
    select * from {{ ref('dim_mlmon__metrics') }}
),

-- The rules of each monitor, with its primary metric and its label horizon put in.
rules_of_monitors as (
    select
        rules.*,
        monitors.monitor as rule_monitor,
        replace(
            rules.metric, '{primary_metric}', coalesce(monitors.primary_metric, '')
        ) as metric_selector,
        case
            when rules.label_age = 'horizon'
                then
                    cast(monitors.label_horizon_days as {{ dbt.type_string() }}) || 'd'
            else rules.label_age
        end as label_age_selector,
        monitors.default_span_windows,
        monitors.verdict_span_windows
    from rules
    inner join monitors
        on rules.monitor in ('*', monitors.monitor)
),

rules_of_metrics as (
    select
        rules_of_monitors.*,
        known_metrics.metric as rule_metric,
        -- The default span of drift is the one that is judged.
        case
            when known_metrics.family = 'drift'
                then rules_of_monitors.verdict_span_windows
            else rules_of_monitors.default_span_windows
        end as usual_span_windows
    from rules_of_monitors
    inner join known_metrics
        on {{ mlmon.rule_names_metric(
            'rules_of_monitors.metric_selector', 'known_metrics.metric'
        ) | indent(8) }}
),

-- One row per sound rule row, monitor and metric, with its spans as numbers. Rows that
-- are switched off stay in: one that wins its series switches the rule off there.
targets as (
    select
        rules_of_metrics.*,
        case
            when span_text = 'default' then usual_span_windows
            else span_number
        end as span_windows,
        case
            when resolve_span_text = 'default' then usual_span_windows
            when resolve_span_text = 'same' and span_text = 'default'
                then usual_span_windows
            when resolve_span_text = 'same' then span_number
            else resolve_span_number
        end as resolve_span_windows
    from rules_of_metrics
),

metrics as (
    select * from {{ ref('fct_mlmon__metrics') }}
),

-- What a rule looks at, at its own span and at the span that resolves it. `*` stands for
-- every one by itself; the whole ('all') of versions, segments and classes has to be
-- named.
selected as (
    select
        targets.rule_key,
        targets.rule_id,
        targets.name as rule_name,
        targets.rule_version,
        targets.exactness,
        targets.is_enabled,
        targets.measure,
        targets.span_windows,
        targets.resolve_span_windows,
        targets.for_windows,
        targets.resolve_windows,
        {%- for level in ['warning', 'critical'] %}
        targets.{{ level }}_condition,
        {%- for limit in ['low', 'high', 'lower', 'upper'] %}
        targets.{{ level }}_{{ limit }},
        {%- endfor %}
        {%- endfor %}
        metrics.monitor,
        metrics.metric,
        metrics.monitor_key,
        metrics.model_version,
        metrics.segment_name,
        metrics.segment_value,
        metrics.column_key,
        metrics.column_role,
        metrics.column_name,
        metrics.class_label,
        metrics.label_age,
        metrics.window_start,
        metrics.window_end,
        metrics.window_date,
        metrics.n,
        metrics.status,
        metrics.reason_code,
        metrics.span_windows <> targets.span_windows as is_resolving_span,
        {{ mlmon.rule_measure('metrics', 'targets') | indent(8) }} as value,
        {{ mlmon.rule_measure('metrics', 'targets', judged=true) | indent(8) }}
            as judged_value
    from metrics
    inner join targets
        on
            metrics.monitor = targets.rule_monitor
            and metrics.metric = targets.rule_metric
            and metrics.span_windows in (
                targets.span_windows, targets.resolve_span_windows
            )
    where
        {%- for column in ['model_version', 'segment_name', 'class_label'] %}
        (
            targets.{{ column }} = metrics.{{ column }}
            or (targets.{{ column }} = '*' and metrics.{{ column }} <> 'all')
        )
        and
        {%- endfor %}
        targets.segment_value in ('*', metrics.segment_value)
        and targets.column_role in ('*', metrics.column_role)
        and targets.column_name in ('*', metrics.column_name)
        and (
            metrics.label_age = 'none'
            or targets.label_age_selector in ('*', metrics.label_age)
        )
),

identified as (
    select
        selected.*,
        {{ mlmon.series_id() | indent(8) }} as series_id
    from selected
),

ranked as (
    select
        identified.*,
        max(case when is_resolving_span then judged_value end) over (
            partition by series_id, rule_key, window_end
        ) as short_value,
        dense_rank() over (
            partition by series_id
            order by exactness desc, rule_key
        ) as selection_rank
    from identified
),

-- Of the rows of one rule that select a series the most exact one holds.
levels as (
    select
        ranked.*,
        {{ mlmon.breach_level('judged_value', 'ranked') | indent(8) }} as own_level,
        {{ mlmon.breach_level('short_value', 'ranked') | indent(8) }} as short_level
    from ranked
    where
        selection_rank = 1
        and is_enabled
        and not is_resolving_span
),

-- The short span says whether it is over. Without a judgement there, the long one decides alone.
judged as (
    select
        levels.*,
        case when own_level = 2 or warning_condition = '' then 'critical' else 'warning' end
            as limit_name,
        case when short_level < own_level then short_level else own_level end as breach_level
    from levels
),

-- Steps count the judged windows; one that is not judged stays on the step before.
numbered as (
    select
        judged.*,
        breach_level > 0 as is_breached,
        case breach_level when 2 then 'critical' when 1 then 'warning' else 'none' end as severity,
        count(breach_level) over ({{ so_far }}) as step
    from judged
),

-- The last step of the other kind ends a run of breaches, or of windows without one.
runs as (
    select
        numbered.*,
        {%- for level, severities in levels.items() %}
        coalesce(max(case when severity in {{ severities }} then step end) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_breach,
        coalesce(max(
            case
                when is_breached is not null and severity not in {{ severities }}
                    then step
            end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_pass
        {{- ',' if not loop.last }}
        {%- endfor %}
    from numbered
),

turns as (
    select
        runs.*,
        {%- for level in levels %}
        coalesce(max(
            case when step - last_{{ level }}_pass >= for_windows then step end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_set,
        coalesce(max(
            case when step - last_{{ level }}_breach >= resolve_windows then step end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_reset,
        {%- endfor %}
        step - last_firing_pass as n_breached,
        min(case when is_breached then window_end end) over (
            partition by series_id, last_firing_pass
        ) as breached_since
    from runs
),

states as (
    select
        turns.*,
        case
            when last_firing_set > last_firing_reset then 'firing'
            when n_breached > 0 then 'pending'
            else 'ok'
        end as state
    from turns
),

changes as (
    select
        states.*,
        state = 'firing'
        and lag(state, 1, 'ok') over (partition by series_id order by window_end) <> 'firing'
            as has_fired
    from states
),

fired as (
    select
        changes.*,
        max(case when has_fired then window_end end) over ({{ so_far }}) as last_fired_at,
        max(case when has_fired then breached_since end) over ({{ so_far }}) as last_fired_since
    from changes
)

select
    series_id,
    rule_id,
    rule_name,
    rule_version,
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    cast(span_windows as integer) as span_windows,
    cast(resolve_span_windows as integer) as resolve_span_windows,
    segment_name,
    segment_value,
    column_key,
    column_name,
    column_role,
    metric,
    measure,
    class_label,
    label_age,
    cast(value as {{ double }}) as value,
    cast(short_value as {{ double }}) as resolve_value,
    {%- for limit in ['low', 'high'] %}
    cast(
        case limit_name when 'critical' then critical_{{ limit }} else warning_{{ limit }} end
        as {{ double }}
    ) as threshold_{{ limit }},
    {%- endfor %}
    case limit_name when 'critical' then critical_condition else warning_condition end as condition,
    cast(n as bigint) as n,
    status,
    reason_code,
    is_breached,
    severity,
    state,
    case
        when last_critical_set > last_critical_reset then 'critical'
        when state = 'firing' then 'warning'
        else severity
    end as state_severity,
    case state when 'firing' then last_fired_since when 'pending' then breached_since end
        as since_window_end,
    case when state = 'firing' then last_fired_at end as fired_at,
    cast(n_breached as integer) as n_breached
from fired
