-- One row per closed window and span whose reference moves: the windows it is compared with, which lie before the
-- span or beside it in another version. They are summed where at least half of them exist in the same bins; else
-- there is no reference, and what says which is NULL.
with

spine as (
    select * from {{ ref('int_mlmon__spine') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
    where compared_with <> 'reference'
),

spans as (
    {{ mlmon.span_settings() }}
),

ends as (
    select
        spine.window_key,
        spine.monitor,
        spine.reference_key,
        spine.reference_hash,
        spans.span_windows,
        settings.compared_with,
        coalesce(settings.compared_version, spine.model_version) as compared_version,
        spine.window_index - case settings.compared_with
            when 'rolling' then spans.span_windows + settings.rolling_windows
            when 'previous_span' then 2 * spans.span_windows
            else spans.span_windows
        end + 1 as compared_first_index,
        spine.window_index - case
            when settings.compared_with = 'version' then 0
            else spans.span_windows
        end as compared_last_index
    from spine
    inner join settings
        on spine.monitor = settings.monitor
    inner join spans
        on spine.monitor = spans.monitor
    where
        spine.is_closed
        -- The version that the others are compared with is itself compared with the reference.
        and spine.model_version <> coalesce(settings.compared_version, '')
),

windows as (
    select
        spine.monitor,
        spine.model_version,
        spine.window_index,
        spine.reference_key,
        windows.n_predictions - windows.n_errors as n_reference,
        case
            when windows.window_key is not null
                then {{ mlmon.portable_checksum([
                    'windows.window_key', 'windows.prediction_fingerprint',
                ]) }}
        end as checksum
    from spine
    left join {{ ref('int_mlmon__windows') }} as windows
        on
            spine.window_key = windows.window_key
            and windows.n_predictions > 0
),

counted as (
    select
        ends.window_key,
        ends.span_windows,
        count(*) as n_windows,
        sum(windows.n_reference) as n_reference,
        sum(windows.checksum) as checksum
    from ends
    inner join windows
        on
            ends.monitor = windows.monitor
            and ends.compared_version = windows.model_version
            and ends.reference_key = windows.reference_key
            and windows.window_index
            between ends.compared_first_index and ends.compared_last_index
    group by ends.window_key, ends.span_windows
),

filled as (
    select
        ends.window_key,
        ends.span_windows,
        counted.n_reference,
        md5(
            ends.reference_hash || '|' || cast(counted.checksum as {{ dbt.type_string() }})
        ) as reference_hash,
        ends.compared_version,
        ends.compared_first_index,
        ends.compared_last_index
    from ends
    inner join counted
        on
            ends.window_key = counted.window_key
            and ends.span_windows = counted.span_windows
    where
        counted.n_reference > 0
        and 2 * counted.n_windows >= ends.compared_last_index - ends.compared_first_index + 1
)

select
    ends.window_key,
    ends.span_windows,
    ends.compared_with,
    filled.compared_version,
    filled.compared_first_index,
    filled.compared_last_index,
    cast(filled.n_reference as bigint) as n_reference,
    filled.reference_hash
from ends
left join filled
    on
        ends.window_key = filled.window_key
        and ends.span_windows = filled.span_windows
