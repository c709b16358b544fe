-- One row per window or reference table, segment, KPI and label age: the sums of all kinds of KPIs in one shape.
{{ config(materialized='view') }}

{%- set sums = ['n', 'n_missing', 'value_sum', 'value_mean', 'deviation_squares'] %}
{%- set keys = ['monitor', 'kpi', 'label_age', 'segment_name', 'segment_value'] %}

with

facts as (
    {%- for model_name in ['int_mlmon__kpi_sums', 'int_mlmon__labelled_kpi_sums'] %}
    select
        window_key as source_key,
        model_version,
        window_index,
        {{ (keys + sums) | join(',\n        ') }}
    from {{ ref(model_name) }}

    union all
    {% endfor %}
    select
        source_key,
        model_version,
        window_index,
        {{ (keys + sums) | join(',\n        ') }}
    from {{ ref('int_mlmon__value_sums') }}

    union all

    select
        reference_key as source_key,
        cast(null as {{ dbt.type_string() }}) as model_version,
        cast(null as bigint) as window_index,
        {{ (keys + sums) | join(',\n        ') }}
    from {{ ref('int_mlmon__reference_kpi_sums') }}
)

select * from facts
