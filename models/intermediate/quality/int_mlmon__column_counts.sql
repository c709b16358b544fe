-- One row per monitor, version, closed base window and monitored column: the rows that the column checks judge.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
),

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

current_counts as (
    select
        counts.window_key,
        counts.column_name,
        sum(counts.n) as n_rows,
        sum(counts.n_missing) as n_missing,
        sum(counts.n_out_of_range) as n_out_of_range,
        sum(case when bin_kinds.bin_kind = 'unseen' then counts.n else 0 end) as n_unseen
    from {{ ref('int_mlmon__bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.window_key, counts.column_name
),

reference_shares as (
    select
        counts.reference_key,
        counts.column_name,
        sum(case when bin_kinds.bin_kind = 'missing' then counts.n else 0 end)
        / nullif(cast(sum(counts.n) as {{ mlmon.type_double() }}), 0) as missing_share
    from {{ ref('int_mlmon__reference_bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.reference_key, counts.column_name
),

observed as (
    select
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_index,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.reference_key,
        columns.column_key,
        columns.column_name,
        columns.column_role,
        columns.column_kind,
        columns.declared_min is not null or columns.declared_max is not null as has_range,
        current_counts.n_rows,
        current_counts.n_missing,
        current_counts.n_out_of_range,
        current_counts.n_unseen,
        reference_shares.missing_share as reference_missing_share
    from spans
    inner join current_counts
        on spans.window_key = current_counts.window_key
    inner join columns
        on
            spans.monitor = columns.monitor
            and current_counts.column_name = columns.column_name
    left join reference_shares
        on
            spans.reference_key = reference_shares.reference_key
            and columns.column_name = reference_shares.column_name
)

select * from observed
