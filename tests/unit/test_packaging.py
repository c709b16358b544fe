"""What is installed, and that the files which describe it agree."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement

import mlmon
from support.dbt_project import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
CONSTRAINTS = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_python_and_dbt_packages_have_one_version() -> None:
    dbt = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    assert mlmon.__version__ == PROJECT["version"] == dbt["version"]


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == mlmon.__version__


def test_constraints_are_exact_and_name_no_place() -> None:
    for line in CONSTRAINTS:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


@pytest.mark.parametrize(
    "text", [*chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())]
)
def test_every_dependency_is_pinned_within_its_range(text: str) -> None:
    required = Requirement(text)
    pins = {Requirement(line).name.lower().replace("_", "-"): line for line in CONSTRAINTS}
    if required.name == "mlmon":
        return
    pin = Requirement(pins[required.name.lower().replace("_", "-")])
    [version] = [specifier.version for specifier in pin.specifier]
    assert required.specifier.contains(version, prereleases=True)


def test_the_licence_is_apache_2() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_types_are_shipped() -> None:
    assert (ROOT / "python" / "mlmon" / "py.typed").is_file()
