-- The rows of fct_mlmon__quality_checks at the newest closed window of each monitor, version and
-- span, marked by whether the version is the current one and the span the default: what a dashboard
-- without sub-queries shows.
{{ config(materialized='view') }}

{{ mlmon.latest_rows('fct_mlmon__quality_checks') }}
