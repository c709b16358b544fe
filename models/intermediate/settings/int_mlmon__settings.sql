-- One row per monitor: what the configuration says of it, as a relation.
{{ mlmon.monitor_settings() }}
