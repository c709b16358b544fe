-- One row per stale window end (group_key is its window_key) or reference it is compared with
-- (group_key is its reference_key), feature, bin and label bin: the counts and sums of the whole
-- span. Every association of int_mlmon__associations is computed from these.
{{ config(enabled=mlmon.is_asked_for('association')) }}

with

stale as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_association_ends') }} as stale
        on spans.window_key = stale.window_key
    where spans.is_default_span
),

ends as (
    select stale.*
    from stale
    inner join {{ ref('int_mlmon__span_coverage') }} as covered
        on
            stale.monitor_key = covered.monitor_key
            and stale.window_index = covered.window_index
            and stale.span_windows = covered.span_windows
            and covered.is_horizon
            and covered.segment_name = 'all'
    where covered.readiness <> 'immature'
),

-- The windows of which each is the sum.
group_windows as (
    select
        ends.window_key as group_key,
        ends.monitor,
        windows.window_key
    from ends
    inner join {{ ref('int_mlmon__windows') }} as windows
        on
            ends.monitor = windows.monitor
            and ends.model_version = windows.model_version
            and windows.window_index between ends.first_index and ends.window_index

    union all

    select
        reference_windows.reference_key as group_key,
        reference_windows.monitor,
        reference_windows.window_key
    from ({{ mlmon.reference_windows() }}) as reference_windows
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on reference_windows.reference_key = reference_facts.reference_key
    where
        reference_facts.is_mature
        and reference_windows.reference_key in (select reference_key from stale)
),

added as (
    select
        group_windows.group_key,
        group_windows.monitor,
        counts.column_name,
        counts.bin_index,
        counts.label_bin,
        sum(counts.n) as n,
        sum(counts.n_missing) as n_missing,
        sum(counts.n_paired) as n_paired,
        {{ mlmon.added_pair_sums('counts') }}
    from group_windows
    inner join {{ ref('int_mlmon__label_bin_counts') }} as counts
        on group_windows.window_key = counts.window_key
    group by
        group_windows.group_key, group_windows.monitor, counts.column_name, counts.bin_index,
        counts.label_bin
)

select
    added.group_key,
    added.monitor,
    settings.task,
    columns.column_kind,
    added.column_name,
    added.bin_index,
    added.label_bin,
    cast(added.n as {{ mlmon.type_double() }}) as n,
    added.n_missing = added.n as is_missing,
    cast(added.n_paired as {{ mlmon.type_double() }}) as n_paired,
    added.{{ mlmon.pair_sums() | join(',\n    added.') }}
from added
inner join ({{ mlmon.label_settings() }}) as settings
    on added.monitor = settings.monitor
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        added.monitor = columns.monitor
        and added.column_name = columns.column_name
