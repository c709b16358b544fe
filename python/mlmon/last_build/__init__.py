"""What the last complete build of a project was made of, so that `mlmon run` need not build again.

`fingerprint` says what a project is, `sources` what its logs hold, `completeness` whether dbt built
all of it, and `record` where that is remembered and how it is compared.
"""
