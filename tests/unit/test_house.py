"""Rules of the house that no linter knows."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.dbt_project import ROOT, DbtProject

MODELS = sorted(ROOT.glob("models/**/*.sql"))
PYTHON_MODELS = sorted(ROOT.glob("models/**/*.py"))
MARTS = [path for path in MODELS if path.stem.startswith(("fct_", "dim_"))]
SEEDS = sorted(ROOT.glob("seeds/*.csv"))

INTERMEDIATES = sorted(
    path for path in [*MODELS, *PYTHON_MODELS] if path.stem.startswith("int_mlmon__")
)
# Intermediates that those who extend the package may build on; they and staging are described like marts.
EXTENSION_POINTS = {
    "int_mlmon__windows",
    "int_mlmon__bins",
    "int_mlmon__column_counts",
    "int_mlmon__labelled_predictions",
    "int_mlmon__label_counts",
}
STAGING = [path for path in MODELS if path.stem.startswith("stg_")]
DESCRIBED_BY_COLUMN = sorted(
    {*MARTS, *STAGING, *(path for path in MODELS if path.stem in EXTENSION_POINTS)}
)

# How large the package may be, by what it is: whoever makes it smaller lowers these. They are never raised.
MOST_NODES_OF_THE_DEMO = 85
LONGEST_PATH_OF_THE_DEMO = 19
MOST_MODEL_FILES = 105
MOST_DOCUMENTED_COLUMNS = 1600
# Tables of the demo that one model alone reads, and intermediates that do not name their grain.
MOST_UNEXPLAINED_TABLES = 5
MOST_WITHOUT_GRAIN = 6

# A model has one grain, and what one model alone reads is a CTE of it (below): so it may be long, up to here.
LONGEST_MODEL = 300
# The line of a comment that says why a table with one reader is one.
WHY_A_TABLE = re.compile(r"^\s*(--|#) A table\b", re.MULTILINE)

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


def config_of(model: str) -> dict[str, Any]:
    """What YAML says under `config:` of a model."""
    return dict(described("models").get(model, {}).get("config") or {})


@pytest.fixture(scope="session")
def demo(make_project: Any) -> dict[str, dict[str, Any]]:
    """The nodes of the demo, as dbt parses them, by their ids."""
    flights = ROOT / "examples" / "flights"
    project: DbtProject = make_project(
        vars=yaml.safe_load((flights / "dbt_project.yml").read_text())["vars"],
        files={"models/sources.yml": (flights / "models" / "sources.yml").read_text()},
    )
    project.run("parse", "--write-json").require()
    manifest = json.loads((project.directory / "target" / "manifest.json").read_text())
    kinds = {"model", "seed", "test", "snapshot"}
    return {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] in kinds
    }


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


@pytest.mark.parametrize("path", [*MODELS, *PYTHON_MODELS], ids=_name)
def test_a_model_is_described(path: Path) -> None:
    model = described("models").get(path.stem)
    assert model, "no YAML file names it"
    assert model.get("description", "").strip()


def test_an_intermediate_names_its_grain() -> None:
    """In YAML; test_convergence proves of each that no two rows share it."""
    without = [
        path.stem
        for path in INTERMEDIATES
        if path.stem not in EXTENSION_POINTS
        and not config_of(path.stem).get("meta", {}).get("grain")
    ]
    assert len(without) <= MOST_WITHOUT_GRAIN, without


def test_an_intermediate_is_private_hidden_and_beside_the_marts() -> None:
    """By its folder, or by its name where it lies among marts, in dbt_project.yml."""
    models = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["models"]["mlmon"]
    wanted = {
        "+access": "private",
        "+schema": "mlmon_internals",
        "+tags": "mlmon_internal",
        "+docs": {"show": False},
    }
    assert models["staging"]["+schema"] == wanted["+schema"]
    wrong = []
    for path in INTERMEDIATES:
        config: dict[str, Any] = models
        for part in path.relative_to(ROOT / "models").with_suffix("").parts:
            config = {**config, **config.get(part, {})}
        if {key: config.get(key) for key in wanted} != wanted:
            wrong.append(path.stem)
    assert wrong == []
    named = {name for area in models["areas"].values() if isinstance(area, dict) for name in area}
    assert named - {path.stem for path in INTERMEDIATES} == set()


@pytest.mark.parametrize("path", DESCRIBED_BY_COLUMN, ids=_name)
def test_every_column_that_people_read_is_typed_and_described(path: Path) -> None:
    columns = described("models").get(path.stem, {}).get("columns", [])
    assert columns
    for column in columns:
        assert column.get("description", "").strip(), column["name"]
    assert [column["name"] for column in columns if not column.get("data_type")] == []


@pytest.mark.parametrize("path", [path for path in MARTS if not _is_view(path)], ids=_name)
def test_a_mart_has_a_contract(path: Path) -> None:
    assert config_of(path.stem).get("contract", {}).get("enforced") is True


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


def test_the_demo_has_few_nodes_on_a_short_path(demo: dict[str, dict[str, Any]]) -> None:
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            parents = demo[name]["depends_on"].get("nodes", [])
            depths[name] = 1 + max((depth(one) for one in parents if one in demo), default=0)
        return depths[name]

    assert max(map(depth, demo)) <= LONGEST_PATH_OF_THE_DEMO
    assert len(demo) <= MOST_NODES_OF_THE_DEMO


def test_the_package_has_few_files_of_models_and_documents_what_people_read() -> None:
    assert len(MODELS) + len(PYTHON_MODELS) <= MOST_MODEL_FILES
    columns = sum(len(model.get("columns") or []) for model in described("models").values())
    assert columns <= MOST_DOCUMENTED_COLUMNS


def test_a_table_has_more_than_one_reader_or_says_why_it_is_one(
    demo: dict[str, dict[str, Any]],
) -> None:
    """What one model alone reads is a CTE of it. Facts that only grow are tables for another reason."""
    readers: dict[str, set[str]] = {name: set() for name in demo}
    for name, node in demo.items():
        for parent in set(node["depends_on"].get("nodes", [])) & set(demo):
            readers[parent].add(name)
    unexplained = sorted(
        node["name"]
        for name, node in demo.items()
        if node["name"].startswith("int_mlmon__")
        and node["config"]["materialized"] == "table"
        and len(readers[name]) == 1
        and not WHY_A_TABLE.search((ROOT / node["original_file_path"]).read_text())
    )
    assert len(unexplained) <= MOST_UNEXPLAINED_TABLES, unexplained
