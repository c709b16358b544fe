-- One row per monitor: what the configuration says of it, as a relation.
{%- do mlmon.check_as_of() %}
{{ mlmon.monitor_settings() }}
