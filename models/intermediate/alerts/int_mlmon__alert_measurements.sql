-- One row per rule, series and closed window at the rule's span: what the rule looks at
-- there and, beside it, at the span that resolves it. Where several rows of one rule
-- select a series, the most exact one measures it.
{{ config(materialized='view') }}

with

metrics as (
    select * from {{ ref('int_mlmon__alert_metrics') }}
),

targets as (
    select * from {{ ref('int_mlmon__alert_targets') }}
),

-- `*` stands for every one by itself; the whole ('all') of versions, segments and
-- classes has to be named.
selected as (
    select
        targets.*,
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
            metrics.monitor = targets.monitor
            and metrics.metric = targets.metric
            and metrics.span_windows in (
                targets.span_windows, targets.resolve_span_windows
            )
    where
        {%- for column, selector in {
            'model_version': 'version_selector',
            'segment_name': 'segment_name_selector',
            'class_label': 'class_label_selector',
        }.items() %}
        (
            targets.{{ selector }} = metrics.{{ column }}
            or (targets.{{ selector }} = '*' and metrics.{{ column }} <> 'all')
        )
        and
        {%- endfor %}
        targets.segment_value_selector in ('*', metrics.segment_value)
        and targets.column_role_selector in ('*', metrics.column_role)
        and targets.column_name_selector in ('*', metrics.column_name)
        and (
            metrics.label_age = 'none'
            or targets.label_age_selector in ('*', metrics.label_age)
        )
),

identified as (
    select
        selected.*,
        {{ mlmon.series_id({
            'rule': 'rule_id',
            'monitor': 'monitor',
            'model_version': 'model_version',
            'segment_name': 'segment_name',
            'segment_value': 'segment_value',
            'column_role': 'column_role',
            'column_name': 'column_name',
            'metric': 'metric',
            'class_label': 'class_label',
            'label_age': 'label_age',
        }) | indent(8) }} as series_id
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
)

select * from ranked
where
    selection_rank = 1
    and is_enabled
    and not is_resolving_span
