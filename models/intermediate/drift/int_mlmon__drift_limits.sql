-- One row per touched window end, span, segment, column and method that is asked for: the statistic beside the
-- thresholds in force. They are the larger of what the seed fixes and what the reference varies by itself.
with

methods as (
    select * from {{ ref('int_mlmon__drift_methods') }}
),

thresholds as (
    select * from {{ ref('int_mlmon__drift_thresholds') }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

variation as (
    select * from {{ ref('int_mlmon__reference_variation') }}
),

limited as (
    select
        methods.*,
        thresholds.warning as fixed_warning,
        thresholds.critical as fixed_critical,
        variation.threshold as varied_warning,
        settings.threshold_policy,
        case
            when columns.deciding_methods is null then coalesce(thresholds.is_deciding, false)
            else columns.deciding_methods like '%,' || methods.method || ',%'
        end as is_deciding,
        columns.methods like '%,' || methods.method || ',%'
        or coalesce(methods.method like columns.preset || '%', false) as is_asked
    from methods
    inner join settings
        on methods.monitor = settings.monitor
    inner join columns
        on
            methods.monitor = columns.monitor
            and methods.column_name = columns.column_name
    left join thresholds
        on
            methods.monitor = thresholds.monitor
            and methods.column_name = thresholds.column_name
            and methods.span_windows = thresholds.span_windows
            and methods.method = thresholds.method
    left join variation
        on
            methods.reference_key = variation.reference_key
            and methods.span_windows = variation.span_windows
            and methods.segment_name = variation.segment_name
            and methods.segment_value = variation.segment_value
            and methods.column_name = variation.column_name
            and methods.method = variation.method
),

-- The larger of what is fixed and what the reference varies by itself; critical scales with it.
sourced as (
    select
        limited.*,
        coalesce(
            threshold_policy <> 'fixed'
            and (
                threshold_policy = 'reference_windows' or fixed_warning is null
                or varied_warning > fixed_warning
            )
            and varied_warning > 0,
            false
        ) as is_varied
    from limited
)

select
    sourced.*,
    case when is_varied then varied_warning else fixed_warning end as warning,
    case
        when is_varied then varied_warning * (fixed_critical / nullif(fixed_warning, 0))
        else fixed_critical
    end as critical
from sourced
where
    (is_asked and (value is not null or p_value is not null or method = 'psi'))
    or is_deciding
