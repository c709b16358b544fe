-- One row per reference whose facts are out of date, or that is gone (fingerprint NULL).
with

references_of_monitors as (
    select
        reference_key as window_key,
        fingerprint
    from {{ ref('int_mlmon__references') }}
)

select * from (
    {{ mlmon.stale_windows('references_of_monitors', [
        'int_mlmon__bin_edges', 'int_mlmon__reference_categories', 'int_mlmon__segment_values',
        'int_mlmon__reference_bin_counts', 'int_mlmon__reference_labels',
    ]) }}
) as stale
