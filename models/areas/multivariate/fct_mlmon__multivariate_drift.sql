-- One row per monitor with `multivariate`, version, closed window end and method, at the default
-- span: whether the rows of the span can be told from the reference's by all features together. It
-- finds drift that no single column shows, such as two features that no longer move together.
{{ config(
    enabled=mlmon.is_asked_for('multivariate'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'drift'},
    post_hook="{{ mlmon.record_windows('drift') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_ends') }}
    where facts = 'drift'
),

spans as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join stale
        on spans.window_key = stale.window_key
    where spans.is_default_span
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
    where multivariate_rows is not null
),

feature_counts as (
    select
        monitor,
        count(*) as n_features
    from {{ ref('int_mlmon__column_settings') }}
    where column_role = 'feature'
    group by monitor
),

-- A warehouse without the Python model that measures it has nothing here.
measured as (
    {%- if mlmon.measures_joint_drift() %}
    select * from {{ ref('int_mlmon__joint_drift') }}
    {%- else %}
    {{ mlmon.settings_relation({
        'window_key': 'text', 'value': 'double', 'value_low': 'double', 'value_high': 'double',
        'p_value': 'double', 'min_detectable_effect': 'double', 'n_reference': 'bigint',
        'n_current': 'bigint', 'top_column_name': 'text', 'second_column_name': 'text',
    }, []) }}
    {%- endif %}
),

compared as (
    select
        spans.window_key,
        {{ mlmon.window_columns('spans') }},
        spans.is_judged,
        spans.reference_key,
        spans.fixed_reference_hash as reference_hash,
        settings.multivariate_warning as threshold_warning,
        coalesce(feature_counts.n_features, 0) as n_features,
        coalesce(measured.n_reference, 0) as n_reference,
        coalesce(measured.n_current, 0) as n_current,
        measured.value,
        measured.value_low,
        measured.value_high,
        measured.p_value,
        measured.min_detectable_effect,
        measured.top_column_name,
        measured.second_column_name
    from spans
    inner join settings
        on spans.monitor = settings.monitor
    left join feature_counts
        on spans.monitor = feature_counts.monitor
    left join measured
        on spans.window_key = measured.window_key
),

judged as (
    select
        compared.*,
        case
            when n_features = 0 then 'no_features'
            when {{ 'false' if mlmon.has_python_models() else 'true' }} then 'needs_python'
            when reference_key is null or n_reference = 0 then 'no_reference'
            when n_current = 0 then 'no_rows'
            when not is_judged then 'short_span'
            when value is null then 'sample_too_small'
            when
                {{ mlmon.reaches('value', 'threshold_warning') }}
                and p_value < 0.01 * (1 - 1e-12)
                then 'above_warning'
            when min_detectable_effect > threshold_warning * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('value', 'threshold_warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code in ('no_features', 'needs_python') then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code in ('no_rows', 'short_span', 'sample_too_small')
                then 'insufficient_data'
            when reason_code = 'above_warning' then 'warning'
            else 'ok'
        end as status
    from judged
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    cast('domain_classifier' as {{ dbt.type_string() }}) as method,
    rated.value,
    rated.value_low,
    rated.value_high,
    rated.p_value,
    rated.threshold_warning,
    rated.min_detectable_effect,
    cast(rated.n_reference as bigint) as n_reference,
    cast(rated.n_current as bigint) as n_current,
    rated.top_column_name,
    rated.second_column_name,
    rated.reference_hash,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.joint_drift_reason('rated') }} as reason
from rated
