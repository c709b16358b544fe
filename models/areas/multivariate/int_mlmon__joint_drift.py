# One row per window end to judge anew, with enough sampled rows: how well the rows of its span can be told from the
# reference's. Python, because it trains a classifier; it reads the bounded samples and no log.


def model(dbt, session):
    dbt.config(materialized="table")
    try:
        from mlmon.joint_drift import measure
    except ImportError as error:
        raise ImportError(
            "`multivariate` needs the Python package of mlmon beside dbt: pip install mlmon"
        ) from error
    return measure(
        stale=dbt.ref("int_mlmon__stale_ends").filter("facts = 'drift'"),
        spans=dbt.ref("int_mlmon__spans"),
        settings=dbt.ref("int_mlmon__settings"),
        columns=dbt.ref("int_mlmon__column_settings"),
        references=dbt.ref("int_mlmon__references"),
        windows=dbt.ref("int_mlmon__windows"),
        samples=dbt.ref("int_mlmon__window_samples"),
    )
