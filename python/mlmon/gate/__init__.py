"""The gate: holds what has newly landed in the logs to its contract, before dbt reads it.

What the contract says comes from the monitors, from the reference and from suites of the user's
own; Great Expectations checks it, batch by batch. Nothing here judges models: that is dbt's part.
"""
