{#
    SQL: the counting predictions of the stale windows, and the rows of the stale windows of reference tables. Every
    fact of predictions reads them from here, the columns that it needs: nothing is copied. Beside those of staging they
    have one column per slot (numeric_1, category_1, segment_1), segments as they are told apart; rows of a reference
    table have no request.
#}
{% macro stale_predictions() %}
    with

    stale as {{ mlmon.inlined() }} (
        select * from {{ ref('mlmon', 'int_mlmon__stale_windows') }}
        where facts = 'predictions' and monitor is not null
    ),

    logged_rows as {{ mlmon.inlined() }} (
        select
            stale.window_number,
            stale.edge_set_number,
            stale.n_predictions as n_in_window,
            -- Quantiles and distinct values are taken from all rows of a window, or from about
            -- mlmon_profile_rows of them, chosen by a hash of the request, which is the same in every
            -- run and on every warehouse. Hashes are spread evenly below 2 ** 32.
            case
                when stale.n_predictions <= {{ var('mlmon_profile_rows') }} then true
                else
                    {{ mlmon.portable_checksum(['predictions.request_id']) }}
                    < 4294967296.0 * {{ var('mlmon_profile_rows') }} / stale.n_predictions
            end as is_profiled,
            false as is_reference,
            predictions.request_id,
            predictions.is_success,
            predictions.outcome,
            predictions.unusable_values,
            predictions.prediction_class,
            predictions.prediction_value,
            predictions.score,
            predictions.latency_ms
            {{- mlmon.class_scores_of('predictions') }}
            {%- for slot in mlmon.slot_names() %},
            predictions.{{ slot }}
            {%- endfor %}
        from {{ ref('mlmon', 'int_mlmon__resolved_predictions') }} as predictions
        inner join stale
            on
                predictions.monitor = stale.monitor
                and predictions.model_version = stale.model_version
                and predictions.window_index = stale.window_index
        where predictions.is_counting
    ),

    -- All rows of a reference table count. What only a log has is left out: profiles, requests and
    -- latencies.
    reference_rows as {{ mlmon.inlined() }} (
        select
            stale.window_number,
            stale.edge_set_number,
            stale.n_predictions as n_in_window,
            false as is_profiled,
            true as is_reference,
            cast(null as {{ dbt.type_string() }}) as request_id,
            true as is_success,
            cast(null as {{ dbt.type_string() }}) as outcome,
            predictions.unusable_values,
            predictions.prediction_class,
            predictions.prediction_value,
            predictions.score,
            cast(null as {{ mlmon.type_double() }}) as latency_ms
            {{- mlmon.class_scores_of('predictions') }}
            {%- for slot in mlmon.slot_names() %},
            predictions.{{ slot }}
            {%- endfor %}
        from {{ ref('mlmon', 'stg_mlmon__references') }} as predictions
        inner join stale
            on
                predictions.monitor = stale.monitor
                and predictions.reference_version = stale.reference_version
                and coalesce({{ mlmon.window_index(
                    'predictions.predicted_at', 'predictions.monitor'
                ) }}, -1) = stale.window_index
    ),

    predictions as {{ mlmon.inlined() }} (
        select * from logged_rows
        union all
        select * from reference_rows
    )

    select
        predictions.window_number,
        predictions.edge_set_number,
        predictions.n_in_window,
        predictions.is_profiled,
        predictions.is_reference,
        predictions.request_id,
        predictions.is_success,
        predictions.outcome,
        predictions.unusable_values,
        predictions.prediction_class,
        {{ mlmon.nan_to_null('predictions.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('predictions.score') }} as score,
        {{ mlmon.nan_to_null('predictions.latency_ms') }} as latency_ms
        {{- mlmon.class_scores_of('predictions', clean=true) }}
        {%- for slot in mlmon.slot_names() %},
        {% if slot.startswith('segment') -%}
        {{ mlmon.resolved_segment('predictions.' ~ slot, slot ~ '_values') }} as {{ slot }}
        {%- elif slot.startswith('numeric') -%}
        {{ mlmon.nan_to_null('predictions.' ~ slot) }} as {{ slot }}
        {%- else -%}
        predictions.{{ slot }}
        {%- endif %}
        {%- endfor %}
    from predictions
    {{- mlmon.segment_joins('predictions', 'predictions.window_number') }}
{% endmacro %}
