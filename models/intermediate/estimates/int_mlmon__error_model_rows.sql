-- One row per labelled row of a touched reference of a monitor that has its errors estimated, up to 20,000 a reference:
-- its features, and how far its prediction was off at the horizon. A reference in the log is read from the log.
with

stretches as (
    select
        stretches.stretch_number,
        stretches.monitor,
        stretches.reference_key,
        stretches.reference_kind,
        reference_facts.edge_set_number,
        settings.label_horizon_days
    from {{ ref('int_mlmon__population_stretches') }} as stretches
    inner join {{ ref('int_mlmon__mature_references') }} as mature
        on stretches.reference_key = mature.reference_key
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on stretches.reference_key = reference_facts.reference_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stretches.monitor = settings.monitor
            and settings.has_error_estimates
),

labelled as (
    select
        stretches.monitor,
        stretches.reference_key,
        stretches.edge_set_number,
        labelled.window_key,
        labelled.model_version,
        labelled.window_index,
        labelled.request_id,
        labelled.label_value
    from stretches
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on stretches.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__labelled_predictions') }} as labelled
        on sources.source_key = labelled.window_key
    where
        stretches.reference_kind <> 'table'
        and {{ mlmon.counts_at_age('labelled', 'stretches.label_horizon_days') }}
),

logged_rows as (
    select
        labelled.reference_key,
        labelled.monitor,
        labelled.edge_set_number,
        logged.prediction_value,
        labelled.label_value,
        {%- for slot in mlmon.error_model_slots() %}
        logged.{{ slot }},
        {%- endfor %}
        row_number() over (
            partition by labelled.reference_key, labelled.window_key, labelled.request_id
            order by
                {{ mlmon.counting_order('logged') }}
        ) as row_rank
    from labelled
    inner join {{ ref('stg_mlmon__predictions') }} as logged
        on
            labelled.monitor = logged.monitor
            and labelled.model_version = logged.model_version
            and labelled.window_index = logged.window_index
            and labelled.request_id = logged.request_id
    where logged.quarantine_reason is null
),

table_rows as (
    select
        stretches.reference_key,
        stretches.monitor,
        stretches.edge_set_number,
        {%- for slot in mlmon.error_model_slots() %}
        logged.{{ slot }},
        {%- endfor %}
        logged.prediction_value,
        logged.label_value
    from stretches
    inner join {{ ref('int_mlmon__reference_labelled') }} as logged
        on stretches.reference_key = logged.reference_key
    where stretches.reference_kind = 'table'
),

both_kinds as (
    select
        reference_key,
        monitor,
        edge_set_number,
        {%- for slot in mlmon.error_model_slots() %}
        {{ mlmon.nan_to_null(slot) if slot.startswith('numeric') else slot }} as {{ slot }},
        {%- endfor %}
        {{ mlmon.nan_to_null('prediction_value') }} as prediction_value,
        label_value
    from logged_rows
    where row_rank = 1

    union all

    select
        reference_key,
        monitor,
        edge_set_number,
        {%- for slot in mlmon.error_model_slots() %}
        {{ mlmon.nan_to_null(slot) if slot.startswith('numeric') else slot }} as {{ slot }},
        {%- endfor %}
        {{ mlmon.nan_to_null('prediction_value') }} as prediction_value,
        label_value
    from table_rows
),

-- Errors beyond 1e150 have no square.
erred as (
    select
        both_kinds.*,
        abs(prediction_value - label_value) as absolute_error,
        {{ mlmon.portable_checksum([
            mlmon.portable_digits('prediction_value'), mlmon.portable_digits('label_value'),
        ]) }} as checksum
    from both_kinds
    where abs(prediction_value - label_value) < 1e150
),

ranked as (
    select
        erred.*,
        row_number() over (
            partition by reference_key
            order by checksum, {{ (mlmon.error_model_slots() + ['absolute_error']) | join(', ') }}
        ) as error_rank
    from erred
)

select
    row_number() over (order by reference_key, error_rank) as error_number,
    reference_key,
    monitor,
    edge_set_number,
    absolute_error,
    cast(null as {{ dbt.type_string() }}) as prediction_class,
    cast(null as {{ mlmon.type_double() }}) as score,
    cast(null as {{ dbt.type_string() }}) as unusable_values,
    prediction_value
    {%- for slot in mlmon.error_model_slots() %},
    {{ slot }}
    {%- endfor %}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    cast(null as {{ dbt.type_string() }}) as segment_{{ number }}
    {%- endfor %}
from ranked
where error_rank <= {{ mlmon.error_model_rows() }}
