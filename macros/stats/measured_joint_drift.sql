{#
    What int_mlmon__joint_drift measured for the window ends of this run. A warehouse without the model has none of
    it, and no monitor that asks for it has none either: then the relation is empty and typed.
#}
{% macro measured_joint_drift() %}
    {%- if mlmon.measures_joint_drift() -%}
        {{- return("select * from " ~ ref('mlmon', 'int_mlmon__joint_drift')) -}}
    {%- endif -%}
    {{- return(mlmon.settings_relation({
        'window_key': 'text', 'method': 'text', 'value': 'double', 'value_low': 'double',
        'value_high': 'double', 'p_value': 'double', 'min_detectable_effect': 'double',
        'n_reference': 'bigint', 'n_current': 'bigint', 'top_column_name': 'text',
        'second_column_name': 'text',
    }, [])) -}}
{% endmacro %}
