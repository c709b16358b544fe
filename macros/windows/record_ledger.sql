{#
    Copies what the ledger knows of the logs to int_mlmon__processed_windows, where the next run can read it before it
    makes the ledger: which windows there are, and since when the log has had rows in them. With `dbt clone` the ledger
    is a view, and nothing was computed.
#}
{% macro record_ledger() %}
    {%- set processed = builtins.ref('mlmon', 'int_mlmon__processed_windows').render() -%}
    {%- if flags.WHICH != 'clone' %}
    delete from {{ processed }} where model_name = '{{ model.name }}';
    insert into {{ processed }} (model_name, window_key, monitor, first_predicted_at)
    select '{{ model.name }}', window_key, monitor, first_predicted_at
    from {{ this }}
    where source = 'log'
    {%- endif %}
{% endmacro %}
