"""What the last complete build of a project was made of, so that `mlmon run` need not build again.

`state` says what a project is, `watched` what its logs hold, `complete` whether dbt built all of
it, and `mark` where that is remembered and how it is compared.
"""
