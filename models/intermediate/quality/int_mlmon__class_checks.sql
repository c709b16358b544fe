-- One row per monitor with predicted classes and labels, at its newest closed window: whether any class is in both
-- logs. Two classes in all may be one that is always predicted and another that always is true.
with

texts as (
    select
        texts.*,
        row_number() over (
            partition by monitor, case when n_labels > 0 then 1 else 0 end
            order by n_labels + n_predictions desc, class_text
        ) as text_rank
    from {{ ref('int_mlmon__class_texts') }} as texts
),

compared as (
    select
        monitor,
        sum(n_labels) as n_labels,
        sum(case when n_predictions = 0 then n_labels else 0 end) as n_alone,
        count(*) as n_texts,
        sum(case when n_predictions > 0 and n_labels > 0 then 1 else 0 end) as n_common,
        {{ mlmon.concatenate(
            "case when n_predictions > 0 and text_rank <= 3 then ' ' || class_text end", 'class_text'
        ) }} as predicted_texts,
        {{ mlmon.concatenate(
            "case when n_labels > 0 and text_rank <= 3 then ' ' || class_text end", 'class_text'
        ) }} as label_texts
    from texts
    group by monitor
    having sum(n_labels) > 0 and sum(n_predictions) > 0
),

newest_windows as (
    select
        windows.*,
        row_number() over (partition by monitor order by window_index desc) as window_rank
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
)

select
    windows.monitor_key,
    windows.monitor,
    windows.model_version,
    windows.window_start,
    windows.window_end,
    windows.window_date,
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    cast('label' as {{ dbt.type_string() }}) as column_name,
    cast('label' as {{ dbt.type_string() }}) as column_role,
    cast('categorical' as {{ dbt.type_string() }}) as column_kind,
    cast('classes' as {{ dbt.type_string() }}) as check_name,
    cast('consistency' as {{ dbt.type_string() }}) as check_group,
    cast(compared.n_alone as {{ mlmon.type_double() }}) / compared.n_labels as value,
    cast(null as {{ mlmon.type_double() }}) as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    cast(null as {{ mlmon.type_double() }}) as expected_high,
    compared.n_labels as n_checked,
    compared.n_alone as n_failed,
    case
        when compared.n_common = 0 and compared.n_texts > 2 then 'classes_never_match'
        else 'within_limits'
    end as reason_code,
    'The predictions are' || compared.predicted_texts || ' and the labels'
    || compared.label_texts || ': they never match. label_mapping says what they mean.'
        as found
from compared
inner join newest_windows as windows
    on
        compared.monitor = windows.monitor
        and windows.window_rank = 1
