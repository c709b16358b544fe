-- One row per population, segment, metric and class: all metrics of performance, of whatever task, with their intervals.
{%- set columns = [
    'population_number', 'segment_name', 'segment_value', 'metric', 'class_label', 'value', 'variance',
    'n', 'n_excluded', 'value_low', 'value_high', 'interval_method',
] %}
{%- for model_name in [
    'int_mlmon__binary_metrics', 'int_mlmon__score_metrics', 'int_mlmon__rank_metrics',
    'int_mlmon__multiclass_metrics', 'int_mlmon__regression_metrics', 'int_mlmon__median_errors',
    'int_mlmon__ranking_metrics',
] + (['int_mlmon__class_rank_metrics'] if mlmon.mentions_class_scores() else []) %}
{%- if not loop.first %}

union all
{% endif %}
select
    {{ columns | join(',\n    ') }}
from {{ ref(model_name) }}
{%- endfor %}
