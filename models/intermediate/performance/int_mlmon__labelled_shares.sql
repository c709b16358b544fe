-- One row per monitor, version ('all' beside each), base window, segment and label age: which share of its
-- predictions has a label that old. Windows without predictions are rows of the whole only.
with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where has_labels
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

requests as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        requests.segment_name,
        requests.segment_value,
        sum(requests.n_requests - requests.n_errors) as n_predictions
    from windows
    inner join {{ ref('int_mlmon__operation_sums') }} as requests
        on
            windows.monitor = requests.monitor
            and windows.model_version in ('all', requests.model_version)
            and windows.window_index = requests.window_index
    where requests.segment_name <> 'all'
    group by
        windows.monitor, windows.model_version, windows.window_index,
        requests.segment_name, requests.segment_value

    union all

    select
        monitor,
        model_version,
        window_index,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        n_predictions - n_errors as n_predictions
    from windows
),

labelled as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        counts.segment_name,
        counts.segment_value,
        counts.label_age,
        sum(counts.n) as n_labelled
    from windows
    inner join {{ ref('int_mlmon__confusion_counts') }} as counts
        on
            windows.monitor = counts.monitor
            and windows.model_version in ('all', counts.model_version)
            and windows.window_index = counts.window_index
    group by
        windows.monitor, windows.model_version, windows.window_index,
        counts.segment_name, counts.segment_value, counts.label_age
)

select
    md5(
        requests.monitor || '|' || requests.model_version || '|' || requests.segment_name
        || '|' || requests.segment_value || '|' || label_ages.label_age
    ) as series_key,
    requests.monitor,
    requests.model_version,
    requests.window_index,
    requests.segment_name,
    requests.segment_value,
    label_ages.label_age,
    label_ages.label_age_days,
    label_ages.is_horizon,
    settings.windows_per_day,
    settings.label_horizon_days * settings.windows_per_day as horizon_windows,
    requests.n_predictions,
    coalesce(labelled.n_labelled, 0) as n_labelled,
    cast(coalesce(labelled.n_labelled, 0) as {{ mlmon.type_double() }})
    / nullif(requests.n_predictions, 0) as label_coverage,
    case
        when label_ages.label_age_days is null then true
        else windows.data_through_at >= {{ mlmon.add_time(
            'windows.window_end', 'label_ages.label_age_days', 'day'
        ) }}
    end as is_complete,
    windows.data_through_at >= windows.mature_at as is_mature
from requests
inner join windows
    on
        requests.monitor = windows.monitor
        and requests.model_version = windows.model_version
        and requests.window_index = windows.window_index
inner join settings
    on requests.monitor = settings.monitor
inner join label_ages
    on requests.monitor = label_ages.monitor
left join labelled
    on
        requests.monitor = labelled.monitor
        and requests.model_version = labelled.model_version
        and requests.window_index = labelled.window_index
        and requests.segment_name = labelled.segment_name
        and requests.segment_value = labelled.segment_value
        and label_ages.label_age = labelled.label_age
