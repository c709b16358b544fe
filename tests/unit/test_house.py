"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.dbt_project import ROOT

MODELS = sorted(ROOT.glob("models/**/*.sql"))
PYTHON_MODELS = sorted(ROOT.glob("models/**/*.py"))
MARTS = [path for path in MODELS if path.stem.startswith(("fct_", "dim_"))]
SEEDS = sorted(ROOT.glob("seeds/*.csv"))

# A model with more lines of code than this is two models.
LONGEST_MODEL = 150

# What a file of this project must not know: whose machine it was written on, what is left to do.
MACHINE = re.compile(r"(?<![\w.])/(work|tmp|root|home|opt|Users)/[\w.-]+")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _name(path: Path) -> str:
    return path.stem if path.suffix == ".sql" else path.name


def _is_view(path: Path) -> bool:
    return re.search(r"materialized\s*=\s*'view'", path.read_text()) is not None


@cache
def described(kind: str) -> dict[str, dict[str, Any]]:
    """Every model, seed or macro that a YAML file describes, by name."""
    found: dict[str, dict[str, Any]] = {}
    for folder in ("models", "seeds", "macros"):
        for path in ROOT.glob(f"{folder}/**/*.yml"):
            for entry in (yaml.safe_load(path.read_text()) or {}).get(kind) or []:
                assert entry["name"] not in found, f"{entry['name']} is described twice"
                found[entry["name"]] = entry
    return found


@cache
def own_files() -> list[Path]:
    """The text files of the project, as git sees them, tracked or not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    endings = {".sql", ".yml", ".py", ".md", ".toml", ".csv", ".txt", ".sh", ""}
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.suffix in endings and path.is_file()]


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_does_not_ask_which_warehouse_it_is_on(path: Path) -> None:
    assert not re.search(r"\btarget\s*\.\s*(type|name)\b", path.read_text())


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_can_be_read_in_one_go(path: Path) -> None:
    code = [line for line in path.read_text().splitlines() if not re.fullmatch(r"\s*(--.*)?", line)]
    assert len(code) <= LONGEST_MODEL


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_begins_with_what_one_row_is(path: Path) -> None:
    assert path.read_text().startswith("-- ")


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_indents_are_four_spaces(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        indent = line[: len(line) - len(line.lstrip())]
        assert set(indent) <= {" "}, f"line {number}"
        assert len(indent) % 4 == 0, f"line {number}"


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_is_described(path: Path) -> None:
    model = described("models").get(path.stem)
    assert model, "no YAML file names it"
    assert model.get("description", "").strip()


@pytest.mark.parametrize("path", MARTS, ids=_name)
def test_every_column_of_a_mart_is_typed_and_described(path: Path) -> None:
    columns = described("models").get(path.stem, {}).get("columns", [])
    assert columns
    for column in columns:
        assert column.get("data_type"), column["name"]
        assert column.get("description", "").strip(), column["name"]


@pytest.mark.parametrize("path", [path for path in MARTS if not _is_view(path)], ids=_name)
def test_a_mart_has_a_contract(path: Path) -> None:
    config = described("models").get(path.stem, {}).get("config", {})
    assert config.get("contract", {}).get("enforced") is True


def test_no_description_is_of_a_model_that_is_gone() -> None:
    names = {path.stem for path in MODELS + PYTHON_MODELS}
    assert set(described("models")) - names == set()


@pytest.mark.parametrize("path", SEEDS, ids=_name)
def test_a_seed_and_every_column_of_it_is_described(path: Path) -> None:
    seed = described("seeds").get(path.stem, {})
    assert seed.get("description", "").strip()
    named = {column["name"] for column in seed.get("columns", []) if column.get("description")}
    assert named == set(path.read_text().splitlines()[0].split(","))


def test_no_file_knows_a_machine_or_leaves_work_undone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in own_files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line) or UNFINISHED.search(line)
    ]
    assert found == []


def test_no_hook_or_test_of_ours_can_leak_into_a_consumer() -> None:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    assert project["test-paths"] == ["tests/generic"]
    assert not {"on-run-start", "on-run-end", "dispatch"} & set(project)
    singular = [
        path
        for path in ROOT.glob("tests/generic/**/*.sql")
        if not re.search(r"{%-?\s*test\s", path.read_text())
    ]
    assert singular == []


def test_every_file_of_tests_runs() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = [ROOT / folder for folder in settings["tool"]["pytest"]["ini_options"]["testpaths"]]
    files = [path for path in own_files() if path.name.startswith("test_") and path.suffix == ".py"]
    assert len(files) > 60
    assert [path for path in files if not any(path.is_relative_to(one) for one in folders)] == []
