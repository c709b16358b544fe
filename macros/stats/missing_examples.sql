{#
    Per window_number, slot and column of `rows` with missing values: how many rows have none, and a request of them. A
    column may be missing in every row, so that one request stands for all.
#}
{% macro missing_examples(rows) %}
    {%- set numbered = {} %}
    {%- for slot in mlmon.monitored_slots('numeric') + mlmon.monitored_slots('categorical') + mlmon.class_score_slots() %}
        {%- do numbered.update({loop.index: slot}) %}
    {%- endfor %}
    {%- set n_by_slot, requests = {}, {} %}
    {%- for number in numbered %}
        {%- do n_by_slot.update({number: 'n_' ~ number}) %}
        {%- do requests.update({number: 'request_' ~ number}) %}
    {%- endfor %}
    {%- if numbered %}
    select * from (
        select
            counted.window_number,
            {{ mlmon.slot_name('slots.slot_number', numbered) }} as slot,
            cast('missing' as {{ dbt.type_string() }}) as check_name,
            cast('(missing)' as {{ dbt.type_string() }}) as example_value,
            {{ mlmon.slot_value('slots.slot_number', n_by_slot) }} as n,
            {{ mlmon.slot_value('slots.slot_number', requests) }} as example_request_id
        from (
            select
                window_number
                {%- for number, slot in numbered.items() %},
                count(*) - count({{ slot }}) as n_{{ number }},
                min(case when {{ slot }} is null then {{ mlmon.byte_order('request_id') }} end) as request_{{ number }}
                {%- endfor %}
            from {{ rows }} as logged
            group by window_number
        ) as counted
        cross join (
            {%- for number in numbered %}
            {{ 'union all ' if not loop.first }}select {{ number }} as slot_number
            {%- endfor %}
        ) as slots
    ) as found
    where n > 0
    {%- else %}
    {{ mlmon.no_examples() }}
    {%- endif %}
{% endmacro %}

{#
    Per window of `stale`: rows that were loaded before they were predicted, or after their window had closed, and a
    request of them. A log that is loaded at once has no other rows, so that one request stands for all.
#}
{% macro load_time_examples(stale) %}
    {%- set conditions = {
        'clock_skew': 'resolved.loaded_at < ' ~ mlmon.add_time('resolved.predicted_at', '-5', 'second'),
        'freshness': 'resolved.loaded_at > ' ~ mlmon.add_time(
            'stale.window_end', 'settings.close_after_minutes', 'minute'
        ),
    } %}
    select
        window_number,
        cast(null as {{ dbt.type_string() }}) as slot,
        check_name,
        min({{ mlmon.byte_order('request_id') }}) as example_value,
        count(*) as n,
        min({{ mlmon.byte_order('request_id') }}) as example_request_id
    from (
        select
            stale.window_number,
            resolved.request_id,
            case
                {%- for check, condition in conditions.items() %}
                when {{ condition }} then cast('{{ check }}' as {{ dbt.type_string() }})
                {%- endfor %}
            end as check_name
        from {{ ref('mlmon', 'int_mlmon__resolved_predictions') }} as resolved
        inner join {{ stale }} as stale
            on
                resolved.monitor = stale.monitor
                and resolved.model_version = stale.model_version
                and resolved.window_index = stale.window_index
        inner join {{ ref('mlmon', 'int_mlmon__settings') }} as settings
            on resolved.monitor = settings.monitor
    ) as loaded
    -- No row is both: what was loaded before it was predicted was loaded before its window closed.
    where check_name is not null
    group by window_number, check_name
{% endmacro %}
