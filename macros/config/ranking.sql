{# The cut-offs at which rankings are measured, ascending. #}
{% macro top_k(given) %}
    {%- set written = given.get('top_k') -%}
    {%- if given.get('task') != 'ranking' -%}{{- return([]) -}}{%- endif -%}
    {%- if not mlmon.is_list(written) or not written or written | reject('integer') | list -%}
        {{- return([5, 10]) -}}
    {%- endif -%}
    {{- return(written | unique | sort | list) -}}
{% endmacro %}

{# The metrics that are taken at each cut-off, and those of whole lists. #}
{% macro cut_off_metrics() %}{{- return(['ndcg', 'map', 'hit_rate']) -}}{% endmacro %}

{% macro list_metrics() %}{{- return(['mrr', 'relevant_query_rate']) -}}{% endmacro %}

{# The metrics of a ranking monitor by name, each as (what it measures, its cut-off or none). #}
{% macro ranking_metrics(top_k) %}
    {%- set metrics = {} -%}
    {%- for measure in mlmon.cut_off_metrics() -%}
        {%- for k in top_k -%}{%- do metrics.update({measure ~ '_at_' ~ k: (measure, k)}) -%}{%- endfor -%}
    {%- endfor -%}
    {%- for measure in mlmon.list_metrics() -%}{%- do metrics.update({measure: (measure, none)}) -%}{%- endfor -%}
    {{- return(metrics) -}}
{% endmacro %}

{# The columns of a log in their normal form: what the task does not have is none, and relevance is the label. #}
{% macro columns_of_task(columns, task) %}
    {%- set is_ranking = task == 'ranking' -%}
    {%- set relevance = columns.pop('relevance', none) -%}
    {%- if is_ranking and 'label' in columns -%}{%- do columns.update({'label': relevance}) -%}{%- endif -%}
    {%- if is_ranking and 'prediction' in columns -%}{%- do columns.update({'prediction': none}) -%}{%- endif -%}
    {%- if not is_ranking and 'query_id' in columns -%}
        {%- do columns.update({'query_id': none, 'item_id': none}) -%}
    {%- endif -%}
    {{- return(columns) -}}
{% endmacro %}

{# The names of the ranking monitors with labels, which are those whose lists are measured. #}
{% macro ranking_monitors() %}
    {{- return(
        mlmon.monitors() | selectattr('task', 'equalto', 'ranking') | rejectattr('labels', 'none')
        | map(attribute='name') | list
    ) -}}
{% endmacro %}

{# Whether a row is of a ranking monitor, as a condition that costs nothing where there is none. #}
{% macro is_of_ranking(monitor) %}
    {%- set names = [] -%}
    {%- for name in mlmon.ranking_monitors() -%}{%- do names.append(mlmon.text_literal(name)) -%}{%- endfor -%}
    {{- return(monitor ~ " in (" ~ names | join(", ") ~ ")" if names else "false") -}}
{% endmacro %}

{# One row per ranking monitor with labels and metric: what it measures, at which cut-off, and whether it is a proportion. #}
{% macro ranking_metric_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.task == 'ranking' and m.labels is not none -%}
        {%- for metric, parts in mlmon.ranking_metrics(m.top_k).items() -%}
            {%- do rows.append({
                'monitor': m.name, 'metric': metric, 'measure': parts[0], 'top_k': parts[1],
                'is_proportion': parts[0] in ('hit_rate', 'relevant_query_rate'),
                'is_widest': parts[1] == m.top_k | max,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'metric': 'text', 'measure': 'text', 'top_k': 'bigint',
        'is_proportion': 'boolean', 'is_widest': 'boolean',
    }, rows)) -}}
{% endmacro %}

{# The largest cut-off of any monitor. #}
{% macro largest_top_k() %}
    {%- set found = [1] -%}
    {%- for m in mlmon.monitors() -%}{%- do found.extend(m.top_k) -%}{%- endfor -%}
    {{- return(found | max) -}}
{% endmacro %}

{# One row per metric of rankings at a cut-off that is configured: what dim_mlmon__metrics says of it. #}
{% macro cut_off_metric_descriptions() %}
    {%- set words = {
        'ndcg': ('NDCG', 'Discounted cumulative gain of the first %s items over that of the best order; mean over queries.'),
        'map': ('Mean average precision', 'Precision at each relevant item among the first %s; averaged by query; mean over queries.'),
        'hit_rate': ('Hit rate', 'Share of queries with a relevant item among the first %s.'),
    } -%}
    {%- set rows = {} -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for k in m.top_k -%}
            {%- for measure in mlmon.cut_off_metrics() -%}
                {%- set name, description = words[measure] -%}
                {%- set metric = measure ~ '_at_' ~ k -%}
                {%- do rows.update({
                    metric: {
                        'metric': metric, 'family': 'performance', 'display_name': name ~ ' at ' ~ k,
                        'is_higher_better': true, 'value_floor': 0, 'value_ceiling': 1,
                        'description': description | replace('%s', k), 'source_table': 'fct_mlmon__performance',
                    },
                    metric ~ '_relative_loss': {
                        'metric': metric ~ '_relative_loss', 'family': 'degradation',
                        'display_name': name ~ ' at ' ~ k ~ ' lost', 'is_higher_better': false,
                        'description': 'Relative loss of ' ~ metric ~ ' against its baseline; positive is worse.',
                        'source_table': 'fct_mlmon__degradation',
                    },
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'metric': 'text', 'family': 'text', 'display_name': 'text', 'is_higher_better': 'boolean',
        'value_floor': 'double', 'value_ceiling': 'double', 'description': 'text', 'source_table': 'text',
    }, rows.values() | list)) -}}
{% endmacro %}
