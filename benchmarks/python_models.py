"""What the Python model that judges drift costs in memory and time, by the size of what it judges.

    python benchmarks/python_models.py --columns 1000 --windows 365

Makes the statistics of so many columns and windows in DuckDB and hands them to int_mlmon__drift_tests_python
as dbt does. Prints the peak memory of the model beyond what the process held before it (interpreter, scipy, the
table itself).
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

PACKAGE = Path(__file__).resolve().parent.parent
MODEL = PACKAGE / "models" / "intermediate" / "drift" / "int_mlmon__drift_tests_python.py"


def load_model() -> Any:
    spec = importlib.util.spec_from_file_location("drift_tests", MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_statistics(connection: duckdb.DuckDBPyConnection, columns: int, windows: int) -> None:
    """A tenth of the columns with sparse bins, a hundredth with buckets, n = 5,000 against 800 rows."""
    connection.execute(
        f"""
        create table statistics as
        select
            i as test_number, i // {columns} as family_number,
            5000 as n_reference, 800 as n_current, 11 as n_bins,
            random() * 30 as chi_square, 10 as degrees_of_freedom, random() * 30 as dense_chi_square,
            case when i % 10 = 0 then i % 7 else 0 end as sparse_reference,
            case when i % 10 = 0 then i % 3 else 0 end as sparse_current,
            case when i % 100 = 0 then 31 end as buckets_1_degrees_of_freedom,
            case when i % 100 = 0 then 31 end as buckets_2_degrees_of_freedom,
            case when i % 100 = 0 then random() * 60 end as buckets_1_dense_chi_square,
            case when i % 100 = 0 then random() * 60 end as buckets_2_dense_chi_square,
            case when i % 100 = 0 then 0 end as buckets_1_sparse_reference,
            case when i % 100 = 0 then 0 end as buckets_2_sparse_reference,
            case when i % 100 = 0 then 0 end as buckets_1_sparse_current,
            case when i % 100 = 0 then 0 end as buckets_2_sparse_current,
            5000 as n_reference_rows, 800 as n_current_rows,
            i % 50 as n_reference_missing, i % 9 as n_current_missing,
            (i % 300) / 4000.0 as ks, 5000 as n_reference_values, 800 as n_current_values
        from range({columns * windows}) as t (i)
        """
    )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--windows", type=int, default=365)
    given = parser.parse_args()

    module = load_model()
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    make_statistics(connection, given.columns, given.windows)
    # What importing scipy and starting DuckDB take is not the model's.
    module.stats.ks_p_values([0.1], [10], [10])
    module.stats.chi_square_p_values([1.0], [1.0])
    before = peak_mb()
    dbt = SimpleNamespace(config=_Config(), ref=lambda _: connection.table("statistics"))
    start = time.process_time()
    rows = module.model(dbt, connection)
    connection.register("judged", rows)
    connection.execute("create table judged_rows as select * from judged")
    print(f"rows judged                 {given.columns * given.windows:>12,}")
    print(f"processor seconds           {time.process_time() - start:>12.1f}")
    print(f"peak memory before, MB      {before:>12.0f}")
    print(f"peak memory of the model    {peak_mb() - before:>12.0f}")


class _Config:
    """dbt's config object, as far as the model asks it."""

    def __call__(self, **_: object) -> None:
        pass

    def meta_get(self, _: str) -> int:
        return 1_000_000


if __name__ == "__main__":
    main()
