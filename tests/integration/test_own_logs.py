"""docs/own-logs.md, followed word for word: every file written and every command run as the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.dbt_project import ROOT

PAGE = (ROOT / "docs" / "own-logs.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:File `(?P<file>[^`]+)`:\n\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command of the page printed, in a project next to the package as the page asks for."""
    folder = tmp_path_factory.mktemp("shop")
    project = folder / "shop"
    project.mkdir()
    (folder / "mlmon").symlink_to(ROOT)
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    printed: dict[str, str] = {}
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            target = project / block["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block["body"], encoding="utf-8")
            continue
        assert block["kind"] == "bash", f"a block that is neither a file nor a command: {block[0]}"
        for command in block["body"].strip().splitlines():
            done = subprocess.run(
                command,
                shell=True,
                cwd=project,
                env=environment,
                text=True,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            printed[command] = done.stdout
    return printed


def test_every_command_of_the_page_succeeds(outputs: dict[str, str]) -> None:
    assert list(outputs) == ["python make_log.py", "dbt deps", "dbt build", "python look.py"]


def test_the_first_drift_table_says_what_the_page_says(outputs: dict[str, str]) -> None:
    rows = {
        cells[0]: cells[3]
        for line in outputs["python look.py"].splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│").split("│")]) == 5
    }
    assert rows["basket_value"] == "critical"
    assert rows["channel"] == "ok"
    assert rows["score"] == "ok"
