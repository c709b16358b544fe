{#
    Buckets are categories by a hash of their text: whatever a sample holds, seen before or not, has a bucket that the
    reference did not choose. Rows per key, segment and column with categories that the reference saw but once,
    hashing and bucket; bucket -1 holds the missing ones. Two spellings of one category share a bucket once in 32
    times and hide each other there, so there are two hashings. `rows` has the key, edge_set_number and the slots.
#}
{% macro buckets_a_column() %}{{- return(32) -}}{% endmacro %}

{% macro bucket_hashings() %}{{- return([1, 2]) -}}{% endmacro %}

{# The bucket of a checksum: by its last five bits, or by the five before them. #}
{% macro bucket_of(checksum) %}
    {%- set n = mlmon.buckets_a_column() -%}
    case hashings.hashing
            when 1 then mod({{ checksum }}, {{ n }})
            else cast(
                (mod({{ checksum }}, {{ n * n }}) - mod({{ checksum }}, {{ n }})) / {{ n }} as bigint
            )
        end
{%- endmacro %}

{% macro count_buckets(rows, key, keyed_references) %}
    {%- set slots = mlmon.numbered_slots('categorical') %}
    {%- if slots %}
    select
        counted.{{ key }},
        counted.segment_position,
        counted.segment_value,
        columns.column_name,
        hashings.hashing,
        coalesce({{ mlmon.bucket_of('counted.checksum') }}, -1) as bucket,
        cast(sum(counted.n) as bigint) as n
    from (
        select
            {{ key }},
            segment_position,
            segment_value,
            {{ mlmon.slot_name('slot_number', slots) }} as slot,
            case
                when category is not null then {{ mlmon.portable_checksum(['category']) }}
            end as checksum,
            count(*) as n
        from (
            select
                logged.{{ key }},
                slots.segment_position,
                slots.slot_number,
                {{ mlmon.segment_at('slots.segment_position') }} as segment_value,
                {{ mlmon.slot_value('slots.slot_number', slots) }} as category
            from {{ rows }} as logged
            cross join ({{ mlmon.slots_to_count(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        group by {{ key }}, segment_position, segment_value, slot_number, category
    ) as counted
    inner join {{ keyed_references }} as keyed
        on counted.{{ key }} = keyed.{{ key }}
    inner join {{ ref('mlmon', 'int_mlmon__column_settings') }} as columns
        on
            keyed.monitor = columns.monitor
            and counted.slot = columns.slot
    -- The reference saw some category of the column but once: there will be others that it did not see at all.
    inner join (
        select distinct
            reference_key,
            column_name
        from {{ ref('mlmon', 'int_mlmon__reference_categories') }}
        where n = 1
    ) as rare
        on
            keyed.reference_key = rare.reference_key
            and columns.column_name = rare.column_name
    cross join (
        {%- for hashing in mlmon.bucket_hashings() %}
        {{ 'union all ' if not loop.first }}select {{ hashing }} as hashing
        {%- endfor %}
    ) as hashings
    group by 1, 2, 3, 4, 5, 6
    {%- else %}
    select
        {{ key }},
        1 as segment_position,
        cast(null as {{ dbt.type_string() }}) as segment_value,
        cast(null as {{ dbt.type_string() }}) as column_name,
        1 as hashing,
        cast(0 as bigint) as bucket,
        cast(0 as bigint) as n
    from {{ keyed_references }}
    where false
    {%- endif %}
{% endmacro %}

{# The counted buckets of the whole monitor and of each segment, with the columns of `keyed` that name them. #}
{% macro buckets_by_segment(counted, key, keyed, columns) %}
    select
        {% for column in columns %}keyed.{{ column }},
        {% endfor -%}
        buckets.segment_name,
        buckets.segment_value,
        buckets.column_name,
        buckets.hashing,
        cast(buckets.bucket as bigint) as bucket,
        cast(buckets.n as bigint) as n
    from (
        select
            {{ key }},
            cast('all' as {{ dbt.type_string() }}) as segment_name,
            cast('all' as {{ dbt.type_string() }}) as segment_value,
            column_name,
            hashing,
            bucket,
            sum(n) as n
        from {{ counted }}
        where segment_position = 1
        group by {{ key }}, column_name, hashing, bucket

        union all

        select
            counted.{{ key }},
            segments.segment_name,
            counted.segment_value,
            counted.column_name,
            counted.hashing,
            counted.bucket,
            counted.n
        from {{ counted }} as counted
        inner join {{ keyed }} as keyed
            on counted.{{ key }} = keyed.{{ key }}
        inner join ({{ mlmon.segment_settings() }}) as segments
            on
                keyed.monitor = segments.monitor
                and counted.segment_position = segments.segment_position
    ) as buckets
    inner join {{ keyed }} as keyed
        on buckets.{{ key }} = keyed.{{ key }}
{% endmacro %}
