-- One row per verdict at warning or critical, of all marts that judge: the one list of what was
-- wrong, where and when. It has drift at the verdict span and performance at the default one; the
-- other spans are there to look at.
{{ config(materialized='view') }}

{%- set of_table = {
    'key': mlmon.column_key('monitor', "'table'", "'all'"), 'name': "'all'", 'role': "'table'",
    'kind': "'none'",
} %}
{%- set of_column = {
    'key': 'column_key', 'name': 'column_name', 'role': 'column_role', 'kind': 'column_kind',
} %}
{#- What has no verdict span of its own is judged at the longest. #}
{%- set at_longest = 'cast(null as boolean)' %}
{%- set verdicts = [
    ('quality', 'fct_mlmon__quality_checks', 'check_name', of_column, 'true'),
    ('drift', 'fct_mlmon__column_drift', 'deciding_method', of_column, 'is_verdict'),
    ('drift', 'fct_mlmon__label_drift', 'method', of_column, at_longest),
    ('drift', 'fct_mlmon__dataset_drift', "'drift_share'", of_table, 'is_verdict'),
    ('performance', 'fct_mlmon__degradation', 'metric', of_table, at_longest),
] %}
{#- Areas that no monitor asks for are not built. #}
{%- for asked, verdict in [
    ('association', ('drift', 'fct_mlmon__label_association', 'method', of_column, at_longest)),
    ('multivariate', ('drift', 'fct_mlmon__multivariate_drift', 'method', of_table, 'true')),
    ('fairness', ('fairness', 'fct_mlmon__group_fairness', 'metric', of_table, 'true')),
    ('kpis', ('kpi', 'fct_mlmon__kpis', 'kpi', of_table, at_longest)),
] if mlmon.is_asked_for(asked) %}
    {%- do verdicts.append(verdict) %}
{%- endfor %}

with

monitors as (
    select
        monitor,
        max(default_span_windows) as default_span_windows
    from {{ ref('dim_mlmon__monitors') }}
    group by monitor
),

verdicts as (
    {%- for area, mart, object, column, is_verdict in verdicts %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        '{{ area }}' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        {{ column.key }} as column_key,
        {{ column.name }} as column_name,
        {{ column.role }} as column_role,
        {{ column.kind }} as column_kind,
        {{ object }} as object,
        status,
        status_rank,
        reason_code,
        reason,
        {{ is_verdict }} as is_verdict
    from {{ ref(mart) }}
    {%- endfor %}
)

select
    verdicts.area,
    verdicts.monitor,
    verdicts.model_version,
    verdicts.window_start,
    verdicts.window_end,
    verdicts.window_date,
    verdicts.span_windows,
    verdicts.segment_name,
    verdicts.segment_value,
    verdicts.column_key,
    verdicts.column_name,
    verdicts.column_role,
    verdicts.column_kind,
    verdicts.object,
    verdicts.status,
    verdicts.status_rank,
    verdicts.reason_code,
    verdicts.reason
from verdicts
inner join monitors
    on verdicts.monitor = monitors.monitor
where
    verdicts.status in ('warning', 'critical')
    and coalesce(verdicts.is_verdict, verdicts.span_windows = monitors.default_span_windows)
