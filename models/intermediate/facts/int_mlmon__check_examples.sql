-- One row per window, check, monitored column and value that fails the check (a check example): the
-- most frequent ones, how many rows hold them, and the request of one. The examples of failed
-- quality checks are shown from it, and it tells where a category is only another spelling of a
-- known one ("berlin " and "Berlin"; resembles). Missing values, and rows loaded too early or too
-- late, have one example with one request; for duplicates the value is the request.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as {{ mlmon.inlined() }} (
    select * from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where is_success and not is_reference
),

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null and not is_reference
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

class_score_columns as (
    {{ mlmon.class_score_column_settings() }}
),

category_examples as (
    {{ mlmon.category_examples('predictions', 'stale') }}
),

spelled_categories as (
    select
        category_examples.*,
        stale.reference_key,
        {{ mlmon.plain_spelling('category_examples.example_value') }} as plain_spelling
    from category_examples
    inner join stale
        on category_examples.window_number = stale.window_number
),

lookalikes as (
    select
        spelled.window_number,
        spelled.slot,
        cast('lookalike_category' as {{ dbt.type_string() }}) as check_name,
        spelled.example_value,
        spelled.n,
        spelled.example_request_id,
        min({{ mlmon.byte_order('known.category') }}) as resembles
    from spelled_categories as spelled
    inner join {{ ref('int_mlmon__reference_categories') }} as known
        on
            spelled.reference_key = known.reference_key
            and spelled.slot = known.slot
            and spelled.plain_spelling = {{ mlmon.plain_spelling('known.category') }}
    group by
        spelled.window_number, spelled.slot, spelled.example_value, spelled.n,
        spelled.example_request_id
),

repeated_requests as (
    select
        stale.window_number,
        cast(null as {{ dbt.type_string() }}) as slot,
        cast('duplicates' as {{ dbt.type_string() }}) as check_name,
        resolved.request_id as example_value,
        count(*) as n,
        resolved.request_id as example_request_id
    from {{ ref('int_mlmon__resolved_predictions') }} as resolved
    inner join stale
        on
            resolved.monitor = stale.monitor
            and resolved.model_version = stale.model_version
            and resolved.window_index = stale.window_index
    where not resolved.is_counting
    group by stale.window_number, resolved.request_id
),

examples as (
    {%- for of_one_check in [
        'category_examples',
        'repeated_requests',
        '(' ~ mlmon.number_examples('predictions') ~ ')',
        '(' ~ mlmon.class_score_examples('predictions', 'stale') ~ ')',
        '(' ~ mlmon.missing_examples('predictions') ~ ')',
        '(' ~ mlmon.load_time_examples('stale') ~ ')',
    ] %}
    select
        of_one_check.*,
        cast(null as {{ dbt.type_string() }}) as resembles
    from {{ of_one_check }} as of_one_check

    union all
    {% endfor %}
    select * from lookalikes
),

ranked as (
    select
        examples.*,
        sum(n) over (partition by window_number, check_name, slot) as n_in_all,
        row_number() over (
            partition by window_number, check_name, slot
            order by n desc, {{ mlmon.byte_order('example_value') }}
        ) as example_rank
    from examples
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    case
        when ranked.check_name = 'out_of_range' and columns.column_role = 'score'
            then 'score_range'
        else ranked.check_name
    end as check_name,
    coalesce(columns.column_name, class_score_columns.column_name, 'all') as column_name,
    cast(ranked.example_rank as bigint) as example_rank,
    ranked.example_value,
    ranked.resembles,
    cast(ranked.n as bigint) as n,
    cast(ranked.n_in_all as bigint) as n_in_all,
    ranked.example_request_id
from ranked
inner join stale
    on ranked.window_number = stale.window_number
left join columns
    on
        stale.monitor = columns.monitor
        and ranked.slot = columns.slot
left join class_score_columns
    on
        stale.monitor = class_score_columns.monitor
        and ranked.slot = class_score_columns.slot
where
    ranked.example_rank <= {{ mlmon.examples_a_check() }}
    and (
        columns.column_name is not null
        or class_score_columns.column_name is not null
        or ranked.slot is null
    )
