-- One row per failed quality check and example: the values that failed most often, how many rows
-- hold each, and a request that does. Where a check is about requests, the request is the value.
{%- set text = dbt.type_string() %}
{%- set no_text = 'cast(null as ' ~ text ~ ')' %}

with

checks as (
    select * from {{ ref('fct_mlmon__quality_checks') }}
    where
        segment_name = 'all'
        and n_failed > 0
        -- Some value is always the most frequent one.
        and (check_name <> 'constant' or status_rank >= 4)
),

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
),

odd_labels as (
    select
        monitor,
        window_index,
        request_id,
        max(n_labels) as n_labels,
        bool_or(is_early) as is_early,
        bool_or(has_conflict) as has_conflict
    from {{ ref('int_mlmon__labelled_predictions') }}
    where is_early or has_conflict
    group by monitor, window_index, request_id
),

load_counts as (
    select * from {{ ref('int_mlmon__load_counts') }}
),

examples as (
    select
        monitor,
        case
            when check_name in ('duplicates', 'clock_skew', 'freshness') then 'all'
            else model_version
        end as model_version,
        window_index,
        column_name,
        check_name,
        example_value,
        resembles,
        n as n_rows,
        example_request_id
    from {{ ref('int_mlmon__check_examples') }}

    union all

    select
        monitor,
        model_version,
        window_index,
        column_name,
        'constant' as check_name,
        modal_value as example_value,
        {{ no_text }} as resembles,
        modal_n as n_rows,
        {{ no_text }} as example_request_id
    from {{ ref('int_mlmon__column_profiles') }}
    {%- for check, flag in [('early_labels', 'is_early'), ('label_conflicts', 'has_conflict')] %}

    union all

    select
        monitor,
        'all' as model_version,
        window_index,
        'all' as column_name,
        '{{ check }}' as check_name,
        request_id as example_value,
        {{ no_text }} as resembles,
        n_labels as n_rows,
        request_id as example_request_id
    from odd_labels
    where {{ flag }}
    {%- endfor %}
    {%- for check, value, where in [
        ('orphan_labels', 'example_request_id', "reason_code = 'label_without_prediction'"),
        ('future_timestamps', 'cast(first_event_at as ' ~ text ~ ')', "implausibility = 'future'"),
        ('ancient_timestamps', 'cast(first_event_at as ' ~ text ~ ')', "implausibility = 'ancient'"),
        ('unusable_rows', 'reason_code',
            "implausibility = 'none' and reason_code not in ('none', 'label_without_prediction')"),
    ] %}

    union all

    select
        monitor,
        'all' as model_version,
        load_index as window_index,
        case
            when log_name = 'labels' and '{{ check }}' <> 'orphan_labels' then 'label'
            else 'all'
        end as column_name,
        '{{ check }}' as check_name,
        {{ value }} as example_value,
        {{ no_text }} as resembles,
        n_rows,
        example_request_id
    from load_counts
    where {{ where }}
    {%- endfor %}
),

ranked as (
    select
        checks.*,
        substr(examples.example_value, 1, 200) as example_value,
        examples.resembles,
        examples.n_rows,
        examples.example_request_id,
        row_number() over (
            partition by
                checks.monitor_key, checks.window_end, checks.column_key, checks.check_name
            order by
                examples.n_rows desc,
                {{ mlmon.byte_order('examples.example_value') }},
                {{ mlmon.byte_order('examples.example_request_id') }}
        ) as example_rank
    from examples
    inner join windows
        on
            examples.monitor = windows.monitor
            and examples.model_version = windows.model_version
            and examples.window_index = windows.window_index
    inner join checks
        on
            windows.monitor_key = checks.monitor_key
            and windows.window_end = checks.window_end
            and examples.column_name = checks.column_name
            and examples.check_name = checks.check_name
)

select
    {{ mlmon.window_columns('ranked') }},
    ranked.segment_name,
    ranked.segment_value,
    ranked.column_key,
    ranked.column_name,
    ranked.column_role,
    ranked.column_kind,
    ranked.check_name,
    cast(ranked.example_rank as integer) as example_rank,
    ranked.example_value,
    ranked.resembles,
    cast(ranked.n_rows as bigint) as n_rows,
    ranked.example_request_id
from ranked
where ranked.example_rank <= {{ mlmon.examples_a_check() }}
