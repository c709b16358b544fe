-- One row per base window some of whose values must be read, to compare ranks or for a preset, numbered for this run:
-- windows of the spans, and of references that are a stretch of the log.
with

read_ends as (
    select distinct window_key
    from {{ ref('int_mlmon__compared_cells') }}
    where is_read
    {%- if mlmon.computes_presets() %}

    union

    select ends.window_key
    from {{ ref('int_mlmon__ranked_ends') }} as ends
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on ends.monitor = columns.monitor
    where columns.preset is not null
    {%- endif %}
),

ends as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join read_ends
        on spans.window_key = read_ends.window_key
    where spans.is_verdict
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_predictions > 0
),

needed as (
    select windows.window_key
    from ends
    inner join windows
        on
            ends.monitor = windows.monitor
            and ends.model_version = windows.model_version
            and windows.window_index between ends.first_index and ends.window_index

    union

    select windows.window_key
    from ends
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on ends.reference_key = reference_facts.reference_key
    inner join windows
        on
            reference_facts.monitor = windows.monitor
            and windows.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', windows.model_version)
    where reference_facts.reference_kind <> 'table' and ends.compared_with = 'reference'

    union

    select windows.window_key
    from ends
    inner join windows
        on
            ends.monitor = windows.monitor
            and ends.compared_version = windows.model_version
            and windows.window_index
            between ends.compared_first_index and ends.compared_last_index
)

select
    row_number() over (order by windows.window_key) as window_number,
    windows.window_key,
    windows.monitor,
    windows.model_version,
    windows.window_index,
    windows.window_start,
    versions.reference_key,
    versions.edge_set_number
from needed
inner join windows
    on needed.window_key = windows.window_key
inner join {{ ref('int_mlmon__versions') }} as versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
