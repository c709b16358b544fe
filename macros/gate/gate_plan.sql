{#
    What `mlmon validate` and `mlmon run` need to know, told as one line of JSON: `dbt run-operation
    mlmon.gate_plan`. The logs of every monitor with the SQL of each column, the reference, the relations in place
    of shipped seeds, the limits, and every problem of the configuration that only the warehouse can tell. It reads
    no row and writes nothing.
#}
{% macro gate_plan() %}
    {%- do mlmon.check_configuration() -%}
    {%- set problems = [] -%}
    {%- set monitors = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- set logs = [mlmon.gate_log(problems, m, 'predictions', m.predictions)] -%}
        {%- if m.labels is not none -%}
            {%- do logs.append(mlmon.gate_log(problems, m, 'labels', m.labels)) -%}
        {%- endif -%}
        {%- if m.reference.kind == 'table' -%}
            {%- do logs.append(mlmon.gate_log(problems, m, 'reference', m.reference.relation)) -%}
        {%- endif -%}
        {%- do monitors.append({
            'name': m.name, 'logs': logs,
            'reference': {
                'kind': m.reference.kind, 'first_days': m.reference.first_days,
                'from': m.reference['from'], 'to': m.reference['to'],
            },
        }) -%}
    {%- endfor -%}
    {%- set seeds = [] -%}
    {%- for name, spec in (var('mlmon_seeds', {}) or {}).items() -%}
        {%- do seeds.append({
            'name': name, 'relation': mlmon.seed_relation(name) | string, 'spec': spec,
        }) -%}
    {%- endfor -%}
    {%- do log("mlmon_gate_plan " ~ tojson({
        'schema': target.schema, 'problems': problems, 'monitors': monitors,
        'limits': mlmon.gate_limits(), 'other_kind_share': mlmon.other_kind_share(),
        'min_event_at': var('mlmon_min_event_at') | string, 'utc_now': mlmon.utc_now(),
        'seeds': seeds,
    }), info=true) -%}
{% endmacro %}

{# One log: where it is, its columns, and the SQL that tells when a row was loaded and whether its request succeeded. #}
{% macro gate_log(problems, m, log_name, spec) %}
    {%- set log = mlmon.find_log(problems, m, log_name, spec) -%}
    {%- if not log.is_there and 'source' in spec -%}
        {%- do mlmon.add_absent_log(problems, m, log_name, log) -%}
    {%- endif -%}
    {%- set mapped = {
        'predictions': m.columns, 'labels': m.label_columns, 'reference': m.reference_columns,
    }[log_name] -%}
    {%- set columns = [] -%}
    {%- for item in mlmon.gate_columns(m, log_name, mapped) -%}
        {%- do columns.append(mlmon.gate_column(m, log, item)) -%}
    {%- endfor -%}
    {%- if log_name != 'labels' and m.class_scores -%}
        {%- do columns.append(mlmon.gate_score_sum(columns)) -%}
    {%- endif -%}
    {%- if log_name != 'reference' and m.task == 'binary' -%}
        {%- do mlmon.check_positive_class(
            problems, m, log, mapped['label' if log_name == 'labels' else 'prediction']
        ) -%}
    {%- endif -%}
    {%- set outcome = mlmon.as_text(log, mapped.get('outcome')) -%}
    {%- set event_at = mlmon.as_timestamp(
        log, mapped['labeled_at' if log_name == 'labels' else 'predicted_at']
    ) -%}
    {%- set succeeded = [] -%}
    {%- for value in m.success_outcomes or [] -%}
        {%- do succeeded.append(mlmon.text_literal(value)) -%}
    {%- endfor -%}
    {{- return({
        'name': log_name, 'relation': log.relation | string, 'spec': spec, 'is_there': log.is_there,
        'types': log.types, 'columns': columns,
        'loaded_at': mlmon.loaded_at(log, mapped.loaded_at, event_at),
        'is_success': "coalesce(" ~ outcome ~ " in (" ~ succeeded | join(", ") ~ "), true)"
            if succeeded and log_name != 'labels' else none,
    }) -}}
{% endmacro %}

{#
    The columns of a log that have a contract: (name, role, kind, mapped column, feature). A feature may have the name
    of a mapped column; it is then told apart.
#}
{% macro gate_columns(m, log_name, mapped) %}
    {%- set value_kind = 'numeric' if m.task in mlmon.number_tasks() else 'class' -%}
    {%- set kinds = {
        'request_id': 'text', 'predicted_at': 'time', 'labeled_at': 'time', 'loaded_at': 'time',
        'model_version': 'text', 'prediction': value_kind, 'score': 'numeric', 'latency_ms': 'numeric',
        'outcome': 'text', 'label': value_kind, 'query_id': 'text', 'item_id': 'text',
    } -%}
    {%- set identity = [
        'request_id', 'predicted_at', 'labeled_at', 'loaded_at', 'query_id', 'item_id',
    ] -%}
    {%- set items = [] -%}
    {%- for name, column in mapped.items() if name in kinds and column is not none -%}
        {%- do items.append({
            'name': name, 'role': 'identity' if name in identity else name, 'kind': kinds[name],
            'column': column, 'required': column.declared,
            'max': 1 if name == 'score' and m.task in ('binary', 'multiclass') else none,
            'min': 0 if name == 'latency_ms' or (m.task == 'ranking' and name == 'label')
                or (name == 'score' and m.task in ('binary', 'multiclass')) else none,
        }) -%}
    {%- endfor -%}
    {%- if log_name != 'labels' -%}
        {%- for score in m.class_scores -%}
            {%- do items.append({
                'name': 'class_scores.' ~ score['class'], 'role': 'score', 'kind': 'numeric',
                'column': score.column, 'min': 0, 'max': 1, 'required': true,
            }) -%}
        {%- endfor -%}
        {%- for feature in m.features -%}
            {%- do items.append(dict(feature, **{
                'name': ('feature ' if feature.name in kinds or feature.name == 'class_scores' else '') ~ feature.name,
            })) -%}
        {%- endfor -%}
        {%- for segment in m.segments
            if segment.name not in items | map(attribute='name') | list -%}
            {%- do items.append({
                'name': segment.name, 'role': 'segment', 'kind': 'text', 'column': segment.column,
                'min': none, 'max': none, 'required': true,
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(items) -}}
{% endmacro %}

{#
    One column: `sql` is its value as staging reads it, NULL where it cannot be read; `unread` the text of what
    cannot be read, none where the type of the column leaves no room for that. Blanks are missing values.
#}
{% macro gate_column(m, log, item) %}
    {%- set sql = mlmon.mapped_sql(log, item.column) -%}
    {%- set data_type = mlmon.column_type(log, item.column) -%}
    {%- set text = "cast(" ~ sql ~ " as " ~ dbt.type_string() ~ ")" -%}
    {%- set unread = "then null when trim(" ~ text ~ ") = '' then null else " ~ text ~ " end" -%}
    {%- set column = {
        'name': item.name, 'role': item.role, 'kind': item.kind, 'min': item.min, 'max': item.max,
        'is_required': item.required, 'is_there': sql is not none, 'log_column': item.column.name,
        'sql': none, 'unread': none,
    } -%}
    {%- if sql is not none -%}
        {%- if item.kind == 'numeric' -%}
            {%- set number = mlmon.as_double(log, item.column) -%}
            {%- set is_number = "(" ~ number ~ ") - (" ~ number ~ ") = 0" -%}
            {%- do column.update({'sql': "case when " ~ is_number ~ " then " ~ number ~ " end"}) -%}
            {%- if not mlmon.is_number_type(data_type) or 'int' not in data_type -%}
                {%- do column.update({'unread': "case when " ~ is_number ~ " " ~ unread}) -%}
            {%- endif -%}
        {%- elif item.kind == 'time' -%}
            {%- set time = mlmon.as_timestamp(log, item.column) -%}
            {#- Infinity is a time to the warehouse, and to nobody else. -#}
            {%- set is_time = time ~ " >= " ~ mlmon.timestamp_literal('0001-01-01') ~ " and " ~ time
                ~ " < " ~ mlmon.timestamp_literal('9999-12-31') -%}
            {%- do column.update({
                'sql': "case when " ~ is_time ~ " then " ~ time ~ " end",
                'unread': "case when " ~ is_time ~ " " ~ unread,
            }) -%}
        {%- elif item.kind == 'class' -%}
            {%- do column.update({'sql': mlmon.as_class_text(m, log, item.column)}) -%}
        {%- else -%}
            {%- do column.update({'sql': mlmon.as_text(log, item.column)}) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(column) -}}
{% endmacro %}

{# What the class scores of a row add up to: NULL where one of them is not there. #}
{% macro gate_score_sum(columns) %}
    {%- set terms = [] -%}
    {%- for column in columns if column.name.startswith('class_scores.') -%}
        {%- do terms.append(column.sql) -%}
    {%- endfor -%}
    {{- return({
        'name': 'class_scores', 'role': 'score_sum', 'kind': 'numeric', 'log_column': 'class_scores',
        'min': 1 - mlmon.score_sum_tolerance(), 'max': 1 + mlmon.score_sum_tolerance(), 'is_required': false,
        'is_there': none not in terms, 'sql': terms | join(' + ') if none not in terms else none, 'unread': none,
    }) -}}
{% endmacro %}
