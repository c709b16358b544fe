{# Raised when the meaning of a stored fact changes, so that an upgrade recomputes every window once. #}
{% macro facts_version() %}{{- return('10') -}}{% endmacro %}

{#
    The incremental models that hold facts, by what they are counted from: predictions; labels; features together with
    labels, once the labels of a window are complete (mature_labels); rows of references; counts of references, for
    which no log is read (variations). Each is computed again where its window or reference is stale
    (int_mlmon__stale_windows).
#}
{% macro facts() %}
    {{- return({
        'predictions': [
            'int_mlmon__column_counts', 'int_mlmon__operation_sums', 'int_mlmon__latency_counts',
            'int_mlmon__column_profiles', 'int_mlmon__score_counts', 'int_mlmon__check_examples',
        ] + (['int_mlmon__window_samples'] if mlmon.measures_joint_drift() else [])
        + (['int_mlmon__class_score_counts'] if mlmon.is_asked_for('class_scores') else []),
        'labels': [
            'int_mlmon__labelled_predictions', 'int_mlmon__label_counts', 'int_mlmon__error_sums',
        ] + (['int_mlmon__ranking_sums'] if mlmon.is_asked_for('ranking') else [])
        + (['int_mlmon__kpi_sums'] if mlmon.is_asked_for('kpis') else [])
        + (['int_mlmon__common_predictions'] if mlmon.is_asked_for('common_traffic') else []),
        'mature_labels': ['int_mlmon__label_bin_counts'] if mlmon.is_asked_for('association') else [],
        'references': [
            'int_mlmon__bin_edges', 'int_mlmon__reference_categories',
        ],
        'variations': ['int_mlmon__reference_variation'],
    }) -}}
{% endmacro %}

{#
    The incremental models of measurements over spans, by kind. Each is measured again where its window end or
    reference is stale (int_mlmon__stale_ends).
#}
{% macro ends() %}
    {{- return({
        'performance': mlmon.metric_families() + [
            'fct_mlmon__confusion', 'int_mlmon__calibration_maps',
        ],
        'estimates': ['int_mlmon__estimated_values'],
        'drift': ['fct_mlmon__distributions', 'fct_mlmon__drift', 'fct_mlmon__column_drift']
        + (['fct_mlmon__multivariate_drift'] if mlmon.is_asked_for('multivariate') else []),
    }) -}}
{% endmacro %}

{# The models that must have computed a window under today's settings before it is finished. #}
{% macro window_facts() %}
    {%- set facts = mlmon.facts() -%}
    {{- return(facts['predictions'] + facts['labels'] + facts['mature_labels']) -}}
{% endmacro %}

{#
    Whether this run reads all rows of a window of the ledger, so that its facts may be replaced: it lies in the
    part of the log that is searched, and the log still has the rows it begins with. A window without rows needs no
    reading, and the windows of a removed monitor (no bounds) have none.
#}
{% macro is_read_whole(windows, bounds) %}
    {{- return(
        "(" ~ windows ~ ".n_log_rows = 0 or (" ~ windows ~ ".window_start >= " ~ bounds
        ~ ".search_from_at and " ~ windows ~ ".first_predicted_at >= " ~ bounds
        ~ ".first_predicted_at))"
    ) -}}
{% endmacro %}
