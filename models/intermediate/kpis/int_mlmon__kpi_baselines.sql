-- One row per reference, segment and KPI: its mean over the reference, to compare windows with. KPIs of labels at the horizon
-- where the reference is a stretch of the log.
with

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

facts as (
    select * from {{ ref('int_mlmon__kpi_facts') }}
),

parts as (
    select
        reference_facts.reference_key,
        facts.*
    from reference_facts
    inner join facts
        on reference_facts.reference_key = facts.source_key
    where facts.label_age in ('none', 'reference')

    union all

    select
        reference_facts.reference_key,
        facts.*
    from reference_facts
    inner join facts
        on
            reference_facts.monitor = facts.monitor
            and facts.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', facts.model_version)
    inner join ({{ mlmon.kpi_age_settings() }}) as ages
        on
            facts.monitor = ages.monitor
            and facts.kpi = ages.kpi
            and facts.label_age = ages.label_age
            and ages.is_judged_age
    where reference_facts.reference_kind <> 'table'
)

{{ mlmon.merged_kpi_sums('parts', ['reference_key', 'kpi', 'segment_name', 'segment_value']) }}
