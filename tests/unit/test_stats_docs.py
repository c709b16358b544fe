"""The page on the statistics says what happens, and so does the one on false alarms."""

from __future__ import annotations

import doctest
import re
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mlmon import stats
from support.benchmarks import benchmark
from support.dbt_project import ROOT

PAGE = (ROOT / "docs" / "stats.md").read_text(encoding="utf-8")
MEASURED = (ROOT / "docs" / "false_alarms.md").read_text(encoding="utf-8")


def test_every_example_of_the_page_runs_and_prints_what_it_shows() -> None:
    fenced = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert {language for language, _ in fenced} == {"python"}
    parsed = doctest.DocTestParser().get_doctest(
        "".join(block for _, block in fenced), {}, "docs/stats.md", None, None
    )
    assert len(parsed.examples) > 20
    found = doctest.DocTestRunner(verbose=False).run(parsed)
    assert found.failed == 0


def test_the_page_names_every_function_of_the_library() -> None:
    functions = {name for name in stats.__all__ if name[0].islower()}
    assert {name for name in functions if name not in PAGE} == set()


@pytest.fixture(scope="module")
def benchmark_module() -> ModuleType:
    return benchmark("false_alarms")


def test_the_measured_tables_are_those_that_the_benchmark_prints(
    benchmark_module: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark_module.main(["--quick", "--repetitions", "5"])
    printed = capsys.readouterr().out.splitlines()
    frame = [
        line for line in printed if line.startswith(("## ", "|---", "| column", "| reference"))
    ]
    assert len(frame) == 12
    lines = MEASURED.splitlines()
    assert [line for line in lines if line in frame] == frame
    # Every line of a table has a number of repetitions behind it, so every share is a number.
    for line in printed:
        if line.startswith(("| normal", "| lognormal", "| ties", "| categorical", "| missing")):
            shares = [cell for cell in line.strip("|").split("|")[4:] if cell.strip()]
            assert all(0 <= float(share) <= 100 for share in shares)


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_the_benchmark_draws_the_law_that_it_says(benchmark_module: ModuleType, kind: str) -> None:
    """Counts drawn without values are distributed as counts of values: mean and spread of ks and of a bin."""
    rng = np.random.default_rng(3)
    case = benchmark_module.Case(kind, shift=0.5)
    drawn = benchmark_module.draw(rng, case, 300, 200, 1_500)
    # Half a standard deviation, as _changed() has it.
    shift = 0.5 * np.sqrt((np.e - 1) * np.e)
    counts, distances = [], []
    for _ in range(1_500):
        reference, current = rng.normal(size=300), rng.normal(size=200)
        if kind == "lognormal":
            reference, current = np.exp(reference), np.exp(current) + shift
        else:
            current += 0.5
        bins = stats.numeric_bins(reference)
        edges = benchmark_module.cell_edges(np.sort(reference))
        counts.append(stats.bin_counts(current, bins)[9])
        by_cells = (benchmark_module.ks_of_cells(reference, current, edges, w) for w in (5, 25))
        distances.append([ks_2samp(reference, current).statistic, *by_cells])
    direct = np.column_stack([counts, distances])
    found = np.column_stack([drawn.current[:, 9], drawn.ks])
    # Cells hide something here, and wider ones more.
    exact, feature, score = direct[:, 1:].mean(axis=0)
    assert exact > score + 1e-5 > feature + 1e-4
    error = np.sqrt((found.var(axis=0) + direct.var(axis=0)) / 1_500)
    assert (np.abs(found.mean(axis=0) - direct.mean(axis=0)) < 4 * error).all()
    assert found.std(axis=0) == pytest.approx(direct.std(axis=0), rel=0.1)
    hidden, directly_hidden = (side[:, 1] - side[:, 2] for side in (found, direct))
    error = np.sqrt((hidden.var() + directly_hidden.var()) / 1_500)
    assert abs(hidden.mean() - directly_hidden.mean()) < 4 * error
