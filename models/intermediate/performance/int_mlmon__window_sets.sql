-- One row per stale window end, span and label age, and per stale reference: the number of its
-- window set, which is the windows whose labelled predictions are measured together, with the
-- labels that count at an age. Window ends whose windows with predictions are the same, and ages
-- between which no label came, share a set and are measured once: with a single version, all
-- versions together cost nothing, nor does latest where no label came after the horizon. Where the
-- last label of a span came within seven days, its label ages 7d, 14d and latest have the same
-- counted_age, 7d. The numbers are those of this run. The whole monitor is measured at every span, at the horizon and
-- latest; other ages, and segments, at the longest span; a reference at the horizon or, where it is
-- a table, whose labels do not change, latest.
with

stale as (
    select * from {{ ref('int_mlmon__stale_ends') }}
    where facts = 'performance' and fingerprint is not null
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

ends as (
    select
        stale.window_key,
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_index,
        spans.first_index,
        spans.window_index as last_index,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        spans.is_default_span,
        cast(null as {{ dbt.type_string() }}) as reference_key,
        false as is_table
    from stale
    inner join {{ ref('int_mlmon__spans') }} as spans
        on stale.window_key = spans.window_key

    union all

    -- A reference has the span 0.
    select
        stale.window_key,
        cast(null as {{ dbt.type_string() }}) as monitor_key,
        reference_facts.monitor,
        reference_facts.logged_version as model_version,
        cast(null as bigint) as window_index,
        reference_facts.first_index,
        reference_facts.last_index,
        reference_facts.reference_start_at as window_start,
        reference_facts.reference_end_at as window_end,
        cast(null as date) as window_date,
        cast(0 as bigint) as span_windows,
        true as is_default_span,
        reference_facts.reference_key,
        reference_facts.reference_kind = 'table' as is_table
    from stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on stale.window_key = reference_facts.reference_key
),

-- What identifies a set: its first and last window with predictions, and the version that made
-- these, or 'all' where there are several.
filled as (
    select
        ends.window_key,
        ends.span_windows,
        case
            when min(windows.model_version) = max(windows.model_version)
                then min(windows.model_version)
            else 'all'
        end as filled_version,
        min(windows.window_index) as first_filled_index,
        max(windows.window_index) as last_filled_index
    from ends
    inner join {{ ref('int_mlmon__windows') }} as windows
        on
            ends.monitor = windows.monitor
            and ends.model_version in ('all', windows.model_version)
            and windows.window_index between ends.first_index and ends.last_index
            and windows.source = 'log'
            and windows.n_predictions > 0
    group by ends.window_key, ends.span_windows
),

measured as (
    select
        ends.*,
        filled.filled_version,
        filled.first_filled_index,
        filled.last_filled_index,
        case when ends.is_table then 'latest' else label_ages.label_age end as label_age,
        label_ages.label_age_days,
        label_ages.is_horizon
    from ends
    inner join label_ages
        on ends.monitor = label_ages.monitor
    left join filled
        on
            ends.window_key = filled.window_key
            and ends.span_windows = filled.span_windows
    where
        label_ages.is_horizon
        or (
            ends.reference_key is null
            and (ends.is_default_span or label_ages.label_age_days is null)
        )
),

first_windows as (
    select
        monitor,
        min(first_filled_index) as first_index
    from measured
    group by monitor
),

-- The ages at which any label of a window came, or was replaced. NULL days are latest. Only windows
-- that are measured are read: none, where nothing is stale.
changes as (
    select distinct
        counts.monitor,
        counts.model_version,
        counts.window_index,
        counts.label_age_days
    from {{ ref('int_mlmon__label_counts') }} as counts
    inner join first_windows
        on
            counts.monitor = first_windows.monitor
            and counts.window_index >= first_windows.first_index
    where counts.segment_name = 'all'
),

-- The last of them up to the age that is measured: nothing came between.
changed as (
    select
        measured.window_key,
        measured.span_windows,
        measured.label_age,
        max(changes.label_age_days) as last_change_days,
        bool_or(changes.label_age_days is null) as has_later_change
    from measured
    inner join changes
        on
            measured.monitor = changes.monitor
            and measured.filled_version in ('all', changes.model_version)
            and changes.window_index
            between measured.first_filled_index and measured.last_filled_index
            and {{ mlmon.counts_by_age('changes', 'measured.label_age_days') }}
    group by measured.window_key, measured.span_windows, measured.label_age
)

select
    dense_rank() over (
        order by
            measured.monitor, measured.filled_version, measured.first_filled_index,
            measured.last_filled_index, case when measured.is_table then measured.reference_key end,
            changed.has_later_change, changed.last_change_days
    ) as window_set_number,
    measured.*,
    case
        when measured.is_table then 'reference'
        when changed.has_later_change then 'latest'
        else cast(changed.last_change_days as {{ dbt.type_string() }}) || 'd'
    end as counted_age,
    case
        when measured.is_table then 0
        when not changed.has_later_change then changed.last_change_days
    end as counted_age_days
from measured
left join changed
    on
        measured.window_key = changed.window_key
        and measured.span_windows = changed.span_windows
        and measured.label_age = changed.label_age
