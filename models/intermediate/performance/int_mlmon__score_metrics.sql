-- One row per population of a binary monitor with scores, segment and metric of its scores that is a sum: its value and
-- interval.
{{ mlmon.score_metrics(
    ref('int_mlmon__population_scores'), ['population_number', 'segment_name', 'segment_value']
) }}
