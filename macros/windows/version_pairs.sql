{#
    SQL: one row per monitor, closed window end, span, and version that served at the same time as a newer one: the
    newest of those that have a window there is the challenger, each other a champion. A version that comes later
    changes no row of the past.
#}
{% macro version_pairs() %}
    with

    spans as (
        select spans.*
        from {{ ref('mlmon', 'int_mlmon__spans') }} as spans
        inner join {{ ref('mlmon', 'int_mlmon__settings') }} as settings
            on
                spans.monitor = settings.monitor
                and settings.has_labels
    ),

    versions as (
        {{ mlmon.versions() | indent(4) }}
    ),

    ranked as (
        select
            spans.*,
            row_number() over (
                partition by spans.monitor, spans.window_index, spans.span_windows
                order by
                    versions.first_index desc, versions.last_index desc, versions.model_version desc
            ) as newest_rank
        from spans
        inner join versions
            on
                spans.monitor = versions.monitor
                and spans.model_version = versions.model_version
    )

    select
        challengers.window_key,
        challengers.monitor_key,
        challengers.monitor,
        challengers.model_version,
        champions.monitor_key as champion_key,
        champions.model_version as champion_version,
        challengers.window_index,
        challengers.first_index,
        challengers.window_start,
        challengers.window_end,
        challengers.window_date,
        challengers.span_windows,
        challengers.is_default_span,
        challengers.is_judged and champions.is_judged as is_judged
    from ranked as challengers
    inner join ranked as champions
        on
            challengers.monitor = champions.monitor
            and challengers.window_index = champions.window_index
            and challengers.span_windows = champions.span_windows
            and champions.newest_rank > 1
    where challengers.newest_rank = 1
{% endmacro %}
