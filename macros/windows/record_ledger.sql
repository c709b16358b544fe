{#
    Copies what the ledger knows of the logs to where the next run can read it before the ledger itself is made: which windows
    there are, and since when the log has had rows in them. A clone is a view, of which nothing was computed.
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
