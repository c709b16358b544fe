-- One row per base window and monitored column, class scores and their sum among them: how many rows hold what the
-- column checks count. NULL where a column has no such check.
{{ config(materialized='view') }}
{%- set counts = mlmon.checked_counts() %}

with

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

bin_kinds as (
    select
        reference_key,
        column_name,
        bin_index,
        bin_kind
    from {{ ref('int_mlmon__bins') }}
    where bin_kind in ('missing', 'unseen')
),

-- An infinite value is neither finite nor missing.
current_counts as (
    select
        counts.window_key,
        counts.monitor,
        counts.column_name,
        sum(counts.n) as n_rows,
        sum(counts.n_missing) as n_missing,
        sum(
            case
                when counts.column_kind = 'numeric'
                    then counts.n - counts.n_missing - counts.n_finite
            end
        ) as n_infinite,
        sum(case when bin_kinds.bin_kind = 'unseen' then counts.n else 0 end) as n_unseen
        {%- for count in mlmon.odd_counts() %},
        sum(counts.{{ count }}) as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.window_key, counts.monitor, counts.column_name
)

select
    counted.window_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    columns.declared_min,
    columns.declared_max,
    columns.is_required,
    counted.n_rows,
    counted.n_unseen
    {%- for count in counts %},
    {{ 'counted.' ~ count if count != 'n_wrong_sums' else 'cast(null as bigint)' }}
        as {{ count }}
    {%- endfor %}
from current_counts as counted
inner join columns
    on
        counted.monitor = columns.monitor
        and counted.column_name = columns.column_name
{%- if mlmon.is_asked_for('class_scores') %}

union all

select
    counted.window_key,
    columns.column_name,
    cast('score' as {{ dbt.type_string() }}) as column_role,
    cast('numeric' as {{ dbt.type_string() }}) as column_kind,
    columns.declared_min,
    columns.declared_max,
    true as is_required,
    counted.n as n_rows,
    0 as n_unseen
    {%- for count in counts %},
    {{ 'counted.' ~ count if count in mlmon.class_score_count_names()
        else 'cast(null as bigint)' }} as {{ count }}
    {%- endfor %}
from {{ ref('int_mlmon__class_score_counts') }} as counted
inner join ({{ mlmon.class_score_column_settings() }}) as columns
    on
        counted.monitor = columns.monitor
        and counted.column_name = columns.column_name
{%- endif %}
