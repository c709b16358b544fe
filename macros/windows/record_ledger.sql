{#
    Copies what the ledger knows of the logs to int_mlmon__processed_windows, where the next run can read it before it
    makes the ledger: which windows there are, since when the log has had rows in them, and fingerprints of these rows and
    of the rows with their labels. What facts were computed from before a window changed is forgotten with it: should
    this run end before it has counted them again, the next ones still search the log back to the window.
    A ledger that was made anew from a part of a log does not know that log: then the next run searches all of it.
    With `dbt clone` the ledger is a view, and nothing was computed.
#}
{% macro record_ledger() %}
    {%- set processed = builtins.ref('mlmon', 'int_mlmon__processed_windows').render() -%}
    {%- set row_fingerprint = "md5(prediction_fingerprint)" -%}
    {%- set label_fingerprint = "md5(prediction_fingerprint || '|' || label_fingerprint)" -%}
    {%- if flags.WHICH != 'clone' %}
    {%- for kinds, fingerprint, first in [
        (['predictions'], row_fingerprint, 1), (['labels', 'mature_labels'], label_fingerprint, 33),
    ] %}
    {%- set models = [] %}
    {%- for kind in kinds %}{% do models.extend(mlmon.facts()[kind]) %}{% endfor %}
    delete from {{ processed }}
    where
        model_name in ('{{ models | join("', '") }}')
        and window_key in (
            select ledger.window_key
            from {{ this }} as ledger
            inner join {{ processed }} as known
                on
                    ledger.window_key = known.window_key
                    and known.model_name = '{{ model.name }}'
            where
                ledger.source = 'log'
                and substr(known.fingerprint, {{ first }}, 32) <> {{ fingerprint }}
        );
    {%- endfor %}
    delete from {{ processed }} where model_name = '{{ model.name }}';
    insert into {{ processed }} (model_name, window_key, monitor, first_predicted_at, fingerprint)
    select
        '{{ model.name }}', window_key, monitor, first_predicted_at,
        {{ row_fingerprint }} || {{ label_fingerprint }}
    from {{ this }}
    where
        source = 'log'
        {%- if not is_incremental() %}
        and monitor in (
            select monitor from {{ ref('mlmon', 'int_mlmon__log_bounds') }}
            where search_from_index <= first_window_index
        )
        {%- endif %}
    {%- endif %}
{% endmacro %}
