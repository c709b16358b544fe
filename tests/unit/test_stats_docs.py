"""The page on the statistics says what happens, and so does the one on false alarms."""

from __future__ import annotations

import doctest
import importlib.util
import re
import sys
from types import ModuleType

import numpy as np
import pytest

from mlmon import stats
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
    path = ROOT / "benchmarks" / "false_alarms.py"
    spec = importlib.util.spec_from_file_location("false_alarms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["false_alarms"] = module
    spec.loader.exec_module(module)
    return module


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


def test_the_benchmark_draws_the_law_that_it_says(benchmark_module: ModuleType) -> None:
    """Counts drawn without values are distributed as counts of values: mean and spread of D and of a bin."""
    rng = np.random.default_rng(3)
    case = benchmark_module.Case("normal", shift=0.5)
    drawn = benchmark_module.draw(rng, case, 300, 200, 1_500)
    counts, d = [], []
    for _ in range(1_500):
        reference, current = rng.normal(size=300), rng.normal(0.5, 1, 200)
        bins = stats.numeric_bins(reference)
        counts.append(stats.bin_counts(current, bins)[9])
        d.append(np.abs(_ecdf(reference, current)).max())
    for found, direct in ((drawn.current[:, 9], np.array(counts)), (drawn.d, np.array(d))):
        error = np.sqrt(found.var() / len(found) + direct.var() / len(direct))
        assert abs(found.mean() - direct.mean()) < 4 * error
        assert found.std() == pytest.approx(direct.std(), rel=0.1)


def _ecdf(reference: object, current: object) -> object:
    first, second = np.sort(reference), np.sort(current)
    both = np.concatenate([first, second])
    return np.searchsorted(first, both, "right") / len(first) - np.searchsorted(
        second, both, "right"
    ) / len(second)
