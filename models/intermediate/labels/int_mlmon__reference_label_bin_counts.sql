-- One row per reference table with labels, feature, bin of the feature and bin of the label, as
-- int_mlmon__label_bin_counts has them of windows; and the label's own bins under the name '__label__'. A reference
-- that is a stretch of the log has its counts in the log's own facts.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

touched as (
    select
        reference_facts.reference_key,
        reference_facts.monitor,
        settings.label_kind
    from {{ ref('int_mlmon__stale_windows') }} as touched
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            touched.facts = 'references'
            and touched.window_key = reference_facts.reference_key
    inner join ({{ mlmon.label_settings() }}) as settings
        on reference_facts.monitor = settings.monitor
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

edges as (
    select * from {{ ref('int_mlmon__label_slot_edges') }}
),

binned as (
    select
        logged.*,
        touched.label_kind,
        {{ mlmon.label_bin('logged', 'edges') }} as label_bin,
        {{ mlmon.label_y('logged', 'edges') }} as y
    from {{ ref('int_mlmon__touched_reference_rows') }} as logged
    inner join touched
        on logged.reference_key = touched.reference_key
    left join edges
        on logged.edge_set_number = edges.edge_set_number
    where
        (touched.label_kind = 'categorical' and logged.label_class is not null)
        or (touched.label_kind = 'numeric' and logged.label_value is not null)
),

labelled_features as (
    select
        binned.*,
        label_kind = 'categorical' or y is not null as has_pair
    from binned
),

counted as (
    {{ mlmon.count_label_bins('labelled_features', 'reference_key', 'touched') }}
)

select
    touched.reference_key,
    touched.monitor,
    columns.column_name,
    counted.bin_index,
    counted.label_bin,
    counted.n,
    counted.n_missing,
    counted.n_paired,
    counted.{{ mlmon.pair_sums() | join(',\n    counted.') }}
from counted
inner join touched
    on counted.reference_key = touched.reference_key
inner join columns
    on
        touched.monitor = columns.monitor
        and counted.slot = columns.slot

union all

select
    touched.reference_key,
    touched.monitor,
    cast('__label__' as {{ dbt.type_string() }}) as column_name,
    cast(0 as bigint) as bin_index,
    labelled_features.label_bin,
    cast(count(*) as bigint) as n,
    cast(0 as bigint) as n_missing,
    cast(0 as bigint) as n_paired
    {%- for column in mlmon.pair_sums() %},
    cast(null as {{ mlmon.type_double() }}) as {{ column }}
    {%- endfor %}
from labelled_features
inner join touched
    on labelled_features.reference_key = touched.reference_key
group by touched.reference_key, touched.monitor, labelled_features.label_bin
