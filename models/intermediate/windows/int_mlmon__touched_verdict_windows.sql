-- One row per window end whose drift verdicts are out of date, or that is gone (fingerprint NULL).
with

verdict_windows as (
    select * from {{ ref('int_mlmon__verdict_windows') }}
)

select * from (
    {{ mlmon.stale_windows('verdict_windows', [
        'fct_mlmon__distributions', 'fct_mlmon__drift', 'fct_mlmon__column_drift',
    ]) }}
) as stale
