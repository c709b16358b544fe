"""Tells people about alerts: what dbt says should be known, less what has been told.

`plan` compares the two and is pure; `outbox` remembers what was told; `dispatch` sends; `channels`
has one module a service. The tables of dbt are read, never written.
"""
