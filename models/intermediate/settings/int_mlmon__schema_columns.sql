-- One row per monitor and mapped feature, score or segment: whether its log has the column now. Looked up when the
-- model is compiled for a run; a column that vanished is NULL in staging and shows here, so nothing stops.
{{ mlmon.schema_columns() }}
