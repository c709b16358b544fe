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

counts as (
    select * from {{ ref('int_mlmon__label_bin_counts') }}
),

mature_references as (
    select *
    from {{ ref('int_mlmon__references') }}
    where is_mature and reference_key in (select reference_key from stale)
),

added as (
    select
        ends.window_key as group_key,
        ends.monitor,
        counts.column_name,
        counts.bin_index,
        counts.label_bin,
        sum(counts.n) as n,
        sum(counts.n_missing) as n_missing,
        sum(counts.n_paired) as n_paired,
        {{ mlmon.added_pair_sums('counts') }}
    from ends
    inner join counts
        on
            ends.monitor = counts.monitor
            and ends.model_version = counts.model_version
            and counts.window_index between ends.first_index and ends.window_index
    group by
        ends.window_key, ends.monitor, counts.column_name, counts.bin_index, counts.label_bin

    union all

    select
        mature_references.reference_key as group_key,
        mature_references.monitor,
        counts.column_name,
        counts.bin_index,
        counts.label_bin,
        sum(counts.n) as n,
        sum(counts.n_missing) as n_missing,
        sum(counts.n_paired) as n_paired,
        {{ mlmon.added_pair_sums('counts') }}
    from mature_references
    inner join counts
        on
            mature_references.monitor = counts.monitor
            and mature_references.logged_version in ('all', counts.model_version)
            and counts.window_index
            between mature_references.first_index and mature_references.last_index
    where mature_references.reference_kind <> 'table'
    group by
        mature_references.reference_key, mature_references.monitor, counts.column_name,
        counts.bin_index, counts.label_bin

    union all

    select
        mature_references.reference_key as group_key,
        mature_references.monitor,
        counts.column_name,
        counts.bin_index,
        counts.label_bin,
        sum(counts.n) as n,
        sum(counts.n_missing) as n_missing,
        sum(counts.n_paired) as n_paired,
        {{ mlmon.added_pair_sums('counts') }}
    from mature_references
    inner join {{ ref('int_mlmon__reference_windows') }} as reference_windows
        on mature_references.reference_key = reference_windows.reference_key
    inner join counts
        on reference_windows.window_key = counts.window_key
    where mature_references.reference_kind = 'table'
    group by
        mature_references.reference_key, mature_references.monitor, counts.column_name,
        counts.bin_index, counts.label_bin
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
