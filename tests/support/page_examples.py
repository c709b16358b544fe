"""Follows the worked examples of docs/architecture.md: what they say is written into a copy of the package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from support.dbt_project import ROOT

PAGE = ROOT / "docs" / "architecture.md"
STEP = re.compile(
    r"^In `(?P<file>[^`]+)`, (?:at the end|before `(?P<before>[^`]+)`):\n\n```\w+\n(?P<text>.+?)\n```",
    flags=re.MULTILINE | re.DOTALL,
)


def copy_of_the_package(directory: Path) -> Path:
    """What a consumer installs."""
    for name in ("macros", "models", "seeds", "tests/generic"):
        shutil.copytree(ROOT / name, directory / name)
    shutil.copy(ROOT / "dbt_project.yml", directory)
    return directory


def follow(heading: str, directory: Path) -> list[Path]:
    """Makes the changes that the section under this heading shows, and returns the files it changed."""
    section = PAGE.read_text().split(f"### {heading}\n")[1].split("\n### ")[0]
    changed = []
    for step in STEP.finditer(section):
        path = directory / step["file"]
        old = path.read_text() if path.exists() else ""
        if step["before"]:
            assert old.count(step["before"]) == 1, (path, step["before"])
            new = old.replace(step["before"], f"{step['text']}\n        {step['before']}")
        else:
            new = old.rstrip("\n") + "\n" * bool(old) + step["text"] + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new)
        changed.append(path)
    assert changed, heading
    return changed
