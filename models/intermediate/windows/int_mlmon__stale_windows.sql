-- One row per kind of facts (predictions, labels, mature_labels, references, variations) and window
-- or reference whose facts of that kind are stale. This run computes the facts of these again, and
-- no others. A window is stale as long as one of the models that hold such facts
-- (macros/windows/facts.sql) was not computed from what the ledger says now: after a change, a
-- killed run, a run of some models, or a new area. monitor is NULL where the window no longer
-- exists or has no rows: its facts are deleted. window_number numbers the rows of this run.
with

settings as (
    {{ mlmon.label_settings() }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

window_fingerprints as (
    {{ mlmon.window_fingerprints() }}
),

windows as (
    select
        window_fingerprints.*,
        -- Labels keep arriving for weeks, and features are the widest part of a log. So facts of
        -- both (mature_labels) are counted once, when the labels of the window are complete, as
        -- those of a reference table always are. Before that, a window has no such facts.
        coalesce(
            window_fingerprints.n_log_rows > 0
            and (
                window_fingerprints.source = 'reference'
                or window_fingerprints.data_through_at
                >= {{ mlmon.add_time(
                    'window_fingerprints.window_end', 'settings.label_horizon_days', 'day'
                ) }}
            ),
            false
        ) as is_mature
    from window_fingerprints
    left join settings
        on window_fingerprints.monitor = settings.monitor
),

-- The fingerprints that facts should have been computed from. A window, or a reference in the log,
-- that this run does not read completely keeps the facts it has.
fingerprints as (
    select
        cast('predictions' as {{ dbt.type_string() }}) as facts,
        window_key,
        is_readable,
        prediction_fingerprint as fingerprint
    from windows

    union all

    select
        cast('labels' as {{ dbt.type_string() }}) as facts,
        window_key,
        is_readable,
        label_fingerprint as fingerprint
    from windows

    union all

    select
        cast('mature_labels' as {{ dbt.type_string() }}) as facts,
        window_key,
        is_readable,
        case
            when is_mature or not {{ mlmon.is_of_area('association') }} then label_fingerprint
            else substr(label_fingerprint, 1, 32) || md5('immature')
        end as fingerprint
    from windows

    union all

    select
        cast('references' as {{ dbt.type_string() }}) as facts,
        reference_facts.reference_key as window_key,
        reference_facts.reference_kind = 'table' or coalesce(
            reference_facts.reference_start_at >= bounds.search_from_at
            and reference_facts.first_predicted_at >= bounds.first_predicted_at,
            false
        ) as is_readable,
        reference_facts.fingerprint
    from reference_facts
    left join bounds
        on reference_facts.monitor = bounds.monitor
),

-- What is made of the counts of a reference alone may be made again as long as its bins are those of
-- the reference as it is now, also where this run does not read its rows.
variations as (
    select
        cast('variations' as {{ dbt.type_string() }}) as facts,
        fingerprints.window_key,
        fingerprints.is_readable
        or coalesce(processed.fingerprint = fingerprints.fingerprint, false) as is_readable,
        md5(fingerprints.fingerprint || '|' || reference_facts.verdict_hash) as fingerprint
    from fingerprints
    inner join reference_facts
        on
            fingerprints.window_key = reference_facts.reference_key
            and fingerprints.facts = 'references'
    left join {{ ref('int_mlmon__processed_windows') }} as processed
        on
            fingerprints.window_key = processed.window_key
            and processed.model_name = 'int_mlmon__bin_edges'
),

-- The models that hold facts of each kind.
models as (
    {%- for kind, models in mlmon.facts().items() %}
    {%- set is_last_kind = loop.last %}
    {%- for model in models %}
    select
        cast('{{ kind }}' as {{ dbt.type_string() }}) as facts,
        cast('{{ model }}' as {{ dbt.type_string() }}) as model_name
    {%- if not (loop.last and is_last_kind) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

due as (
    select
        models.model_name,
        due_facts.*
    from (
        select * from fingerprints
        union all
        select * from variations
    ) as due_facts
    inner join models
        on due_facts.facts = models.facts
),

-- The fingerprints that these models were last computed from.
computed as (
    select
        models.facts,
        processed.model_name,
        processed.window_key,
        processed.fingerprint
    from {{ ref('int_mlmon__processed_windows') }} as processed
    inner join models
        on processed.model_name = models.model_name
),

stale as (
    select distinct
        coalesce(due.facts, computed.facts) as facts,
        coalesce(due.window_key, computed.window_key) as window_key,
        due.fingerprint
    from due
    full outer join computed
        on
            due.model_name = computed.model_name
            and due.window_key = computed.window_key
    where
        coalesce(due.fingerprint, '') <> coalesce(computed.fingerprint, '')
        and coalesce(due.is_readable, true)
)

select
    row_number() over (order by stale.facts, stale.window_key) as window_number,
    stale.facts,
    stale.window_key,
    stale.fingerprint,
    coalesce(windows.source = 'reference', reference_facts.reference_key is not null)
        as is_reference,
    coalesce(windows.monitor, reference_facts.monitor) as monitor,
    windows.model_version,
    windows.reference_version,
    windows.window_index,
    windows.window_start,
    windows.window_end,
    windows.n_predictions,
    coalesce(windows.reference_key, reference_facts.reference_key) as reference_key,
    coalesce(windows.edge_set_number, reference_facts.edge_set_number) as edge_set_number
from stale
left join windows
    on
        stale.window_key = windows.window_key
        and windows.n_log_rows > 0
        and (windows.is_mature or stale.facts <> 'mature_labels')
left join reference_facts
    on
        stale.window_key = reference_facts.reference_key
        and stale.fingerprint is not null
