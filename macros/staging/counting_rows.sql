{#
    The counting, successful predictions of some windows, for what reads values of windows again: `windows` has monitor,
    model_version, window_index, and `keys` that the rows get beside `columns` of the log. Windows before the searched
    stretch of the log, such as a reference's, are read for themselves.
#}
{% macro counting_rows(windows, keys, columns) %}
    with

    bounds as (
        select * from {{ ref('mlmon', 'int_mlmon__log_bounds') }}
    ),

    prediction_log as (
        select * from {{ ref('mlmon', 'stg_mlmon__predictions') }}
        where quarantine_reason is null
    ),

    older_rows as (
        select
            logged.*,
            {{ mlmon.qualified('windows', keys) }}
        from prediction_log as logged
        inner join bounds
            on
                logged.monitor = bounds.monitor
                and logged.predicted_at < bounds.search_from_at
        inner join {{ windows }} as windows
            on
                logged.monitor = windows.monitor
                and logged.model_version = windows.model_version
                and logged.window_index = windows.window_index
    ),

    -- A request's other rows may lie in other windows, which are not read.
    repeated_requests as (
        select prediction_log.request_hash
        from prediction_log
        inner join (select distinct request_hash from older_rows) as requests
            on prediction_log.request_hash = requests.request_hash
        group by prediction_log.request_hash
        having count(*) > 1
    ),

    repeated_rows as (
        select
            prediction_log.*,
            row_number() over (
                partition by
                    prediction_log.monitor, prediction_log.model_version,
                    prediction_log.request_id
                order by
                    {{ mlmon.counting_order('prediction_log') }}
            ) as row_rank
        from prediction_log
        inner join repeated_requests
            on prediction_log.request_hash = repeated_requests.request_hash
    )

    select
        {{ mlmon.qualified('windows', keys) }},
        {{ mlmon.qualified('logged', columns) }}
    from {{ ref('mlmon', 'int_mlmon__resolved_predictions') }} as logged
    inner join {{ windows }} as windows
        on
            logged.monitor = windows.monitor
            and logged.model_version = windows.model_version
            and logged.window_index = windows.window_index
    where logged.is_counting and logged.is_success

    union all

    select
        {{ mlmon.qualified('older_rows', keys) }},
        {{ mlmon.qualified('older_rows', columns) }}
    from older_rows
    where
        older_rows.is_success
        and not exists (
            select 1 from repeated_requests
            where repeated_requests.request_hash = older_rows.request_hash
        )

    union all

    select
        {{ mlmon.qualified('windows', keys) }},
        {{ mlmon.qualified('logged', columns) }}
    from repeated_rows as logged
    inner join bounds
        on
            logged.monitor = bounds.monitor
            and logged.predicted_at < bounds.search_from_at
    inner join {{ windows }} as windows
        on
            logged.monitor = windows.monitor
            and logged.model_version = windows.model_version
            and logged.window_index = windows.window_index
    where logged.row_rank = 1 and logged.is_success
{% endmacro %}
