-- One row per window end whose associations with the label are out of date, or that is gone (fingerprint NULL). Where a
-- window of the span could not be counted anew, because the log no longer has it, they stay as they are.
with

association_ends as (
    select * from {{ ref('int_mlmon__association_ends') }}
),

stale as (
    {{ mlmon.stale_windows('association_ends', ['fct_mlmon__label_association']) }}
),

-- Counted, but not with today's reference and settings.
uncounted as (
    select
        fingerprints.monitor,
        fingerprints.model_version,
        fingerprints.window_index
    from {{ ref('int_mlmon__window_fingerprints') }} as fingerprints
    inner join {{ ref('int_mlmon__processed_windows') }} as processed
        on fingerprints.window_key = processed.window_key
    where
        fingerprints.n_predictions > 0
        and processed.model_name = 'int_mlmon__label_bin_counts'
        and processed.fingerprint not in (
            fingerprints.label_fingerprint,
            substr(fingerprints.label_fingerprint, 1, 32) || md5('immature')
        )
),

kept as (
    select distinct spans.window_key
    from {{ ref('int_mlmon__spans') }} as spans
    inner join uncounted
        on
            spans.monitor = uncounted.monitor
            and spans.model_version = uncounted.model_version
            and uncounted.window_index between spans.first_index and spans.window_index
    where spans.is_default_span
)

select stale.*
from stale
left join kept
    on stale.window_key = kept.window_key
where kept.window_key is null
