-- One row per monitor, version, closed base window and value that has no limit of its own but what is usual for the
-- log: the share of late rows, how long ago the newest prediction and label had come when the window ended, the share
-- of a column's most frequent value, and the shares of values outside what the reference has, which seasons change.
{{ config(materialized='view') }}
{%- set text = dbt.type_string() %}
{%- set double = mlmon.type_double() %}

with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where model_version = 'all' and is_closed
),

label_loads as (
    select
        monitor,
        load_index as window_index,
        max(last_loaded_at) as last_loaded_at
    from {{ ref('int_mlmon__load_counts') }}
    where log_name = 'labels' and reason_code in ('none', 'label_without_prediction')
    group by monitor, load_index
),

-- Labels may be loaded in windows that have no predictions, and before the first that has.
label_clock as (
    select
        monitor,
        window_index,
        max(last_loaded_at) over (partition by monitor order by window_index) as newest_at
    from (
        select
            monitor,
            window_index,
            last_loaded_at
        from label_loads

        union all

        select
            monitor,
            window_index,
            cast(null as timestamp) as last_loaded_at
        from windows
    ) as moments
),

newest as (
    select
        windows.*,
        max(windows.last_predicted_at) over (
            partition by windows.monitor order by windows.window_index
        ) as newest_prediction_at,
        label_clock.newest_at as newest_label_at
    from windows
    left join (
        select
            monitor,
            window_index,
            max(newest_at) as newest_at
        from label_clock
        group by monitor, window_index
    ) as label_clock
        on
            windows.monitor = label_clock.monitor
            and windows.window_index = label_clock.window_index
),

log_values as (
    {%- for check, column, value, failed, checked, found, where in [
        ('freshness', ('all', 'table'),
            'cast(n_late_rows as ' ~ double ~ ') / nullif(n_log_rows, 0)', 'n_late_rows', 'n_log_rows',
            'null', 'true'),
        ('feed_lag', ('all', 'table'), mlmon.seconds_between('newest_prediction_at', 'window_end'),
            '0', '1', 'newest_prediction_at', 'true'),
        ('feed_lag', ('label', 'label'), mlmon.seconds_between('newest_label_at', 'window_end'),
            '0', '1', 'newest_label_at', 'has_labels'),
    ] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor,
        model_version,
        window_index,
        cast('{{ column[0] }}' as {{ text }}) as column_name,
        cast('{{ column[1] }}' as {{ text }}) as column_role,
        cast('none' as {{ text }}) as column_kind,
        cast('{{ check }}' as {{ text }}) as check_name,
        {{ value }} as value,
        {{ failed }} as n_failed,
        {{ checked }} as n_checked,
        cast({{ found }} as {{ text }}) as found,
        cast(null as {{ double }}) as reference_share,
        cast(null as {{ double }}) as allowed_share
    from newest
    where {{ where }}
    {%- endfor %}
),

-- Of few values one is often most of them.
modal_values as (
    select
        profiles.monitor,
        profiles.model_version,
        profiles.window_index,
        profiles.column_name,
        profiles.column_role,
        profiles.column_kind,
        cast('constant' as {{ text }}) as check_name,
        cast(profiles.modal_n as {{ double }}) / profiles.n_profiled as value,
        profiles.modal_n as n_failed,
        profiles.n_profiled as n_checked,
        profiles.modal_value as found,
        cast(null as {{ double }}) as reference_share,
        cast(null as {{ double }}) as allowed_share
    from {{ ref('int_mlmon__column_profiles') }} as profiles
    where profiles.n_profiled >= 20 and profiles.modal_n is not null
),

range_values as (
    {%- for check, rule in mlmon.range_check_rules().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor,
        model_version,
        window_index,
        column_name,
        column_role,
        column_kind,
        cast('{{ check }}' as {{ text }}) as check_name,
        cast({{ rule.failed }} as {{ double }}) / nullif(n_rows, 0) as value,
        {{ rule.failed }} as n_failed,
        n_rows as n_checked,
        {{ mlmon.range_text(rule.range[0], rule.range[1]) }} as found,
        {{ rule.reference }} as reference_share,
        {{ rule.allowed }} as allowed_share
    from {{ ref('int_mlmon__column_counts') }}
    where {{ rule.where }}
    {%- endfor %}
)

select * from log_values
union all
select * from modal_values
union all
select * from range_values
