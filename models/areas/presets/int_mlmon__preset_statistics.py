# One row per stale window end at its verdict span, column with a preset and method: the number that another tool
# prints for the same values. Python, because it is the library's; one comparison of a column at a time.


def model(dbt, session):
    dbt.config(materialized="table")
    try:
        from mlmon.preset_drift import measure
    except ImportError as error:
        raise ImportError(
            "`preset` needs the Python package of mlmon beside dbt: pip install mlmon"
        ) from error
    return measure(
        columns=dbt.ref("int_mlmon__column_settings"),
        stale=dbt.ref("int_mlmon__stale_ends").filter("facts = 'drift'"),
        spans=dbt.ref("int_mlmon__spans"),
        values=dbt.ref("int_mlmon__preset_values"),
    )
