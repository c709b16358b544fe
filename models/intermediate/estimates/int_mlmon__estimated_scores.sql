-- One row per touched window end, span, segment and score: how many predictions, how many of them predicted positive, and the
-- probability of a positive label that the reference's calibration gives the score.
with

stretches as (
    select
        row_number() over (order by spans.window_key, spans.span_windows) as stretch_number,
        spans.window_key,
        spans.monitor,
        spans.model_version,
        spans.span_windows,
        spans.is_default_span,
        spans.first_index,
        spans.window_index,
        touched.reference_key
    from {{ ref('int_mlmon__touched_estimation_ends') }} as touched
    inner join {{ ref('int_mlmon__spans') }} as spans
        on touched.window_key = spans.window_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            spans.monitor = settings.monitor
            and settings.has_score
    where touched.reference_key is not null
),

maps as (
    select * from {{ ref('int_mlmon__calibration_maps') }}
    where class_number = 0
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_predictions > 0
),

counts as {{ mlmon.inlined() }} (
    select
        stretches.stretch_number,
        stretches.window_key,
        stretches.monitor,
        stretches.span_windows,
        stretches.is_default_span,
        stretches.reference_key,
        counts.predicted_class,
        counts.score,
        counts.n
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        counts.segment_{{ number }}
        {%- endfor %}
    from stretches
    inner join windows
        on
            stretches.monitor = windows.monitor
            and stretches.model_version = windows.model_version
            and windows.window_index between stretches.first_index and stretches.window_index
    inner join {{ ref('int_mlmon__score_counts') }} as counts
        on windows.window_key = counts.window_key
),

summed as (
    {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        stretch_number,
        window_key,
        monitor,
        span_windows,
        reference_key,
        cast({{ position }} as bigint) as segment_position,
        {{ 'segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        score,
        sum(n) as n,
        sum(case when predicted_class = '1' then n else 0 end) as n_predicted_positive,
        sum(case when predicted_class is null then n else 0 end) as n_unpredicted
    from counts
    {%- if position %}
    where is_default_span
    {%- endif %}
    group by
        stretch_number, window_key, monitor, span_windows, reference_key, score
        {{- ', segment_' ~ position if position }}
    {%- endfor %}
),

-- Each score asks its map for the last knot at or below it; knots and scores in one order.
asked as (
    select distinct
        reference_key,
        score,
        cast(null as bigint) as knot_number
    from summed
    where score is not null

    union all

    select
        reference_key,
        score,
        knot_number
    from maps
    where knot_number > 0
),

answered as (
    select
        asked.*,
        coalesce(max(knot_number) over (
            partition by reference_key order by score
            range between unbounded preceding and current row
        ), 0) as last_knot
    from asked
),

calibrated as (
    select
        answered.reference_key,
        answered.score,
        least(1, greatest(0, maps.probability + maps.slope * (answered.score - maps.score)))
            as probability,
        maps.n_reference,
        maps.n_predicted,
        maps.n_predicted_other
    from answered
    inner join maps
        on
            answered.reference_key = maps.reference_key
            and answered.last_knot = maps.knot_number
    where answered.knot_number is null
)

select
    summed.*,
    calibrated.probability,
    calibrated.n_reference,
    calibrated.n_predicted,
    calibrated.n_predicted_other
from summed
left join calibrated
    on
        summed.reference_key = calibrated.reference_key
        and summed.score = calibrated.score
