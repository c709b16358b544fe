"""Tells people about alerts: what dbt says should be known, less what has been told.

A message goes through six modules: `marts` reads what dbt says, `planner` decides what to tell whom,
`content` writes it, `outbox` remembers it, `dispatcher` claims and sends it, and a module of
`channels` hands it to its service. `database` is where the outbox is kept. `backtest` and `rules`
stand apart: what rules would have told.
"""
