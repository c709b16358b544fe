"""Whether a run of dbt has built all of the package, and whether what it built can be told unchanged."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mlmon.dbt_process import DbtRun
from mlmon.last_build.sources import WatchedSource

_FINE = {"success", "pass", "warn", "no-op"}


# What holds no rows of its own, so that building it again changes nothing.
_NO_ROWS = {"view", "ephemeral", "unit", "function"}


_PACKAGE = "mlmon"


class NotKnownError(Exception):
    """It cannot be told whether a next build would change anything; the text says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a complete run of dbt has built.

    ``tables`` has schema and name of every table and view, ``names`` the quoted names of the
    package's models and seeds.
    """

    tables: tuple[tuple[str, str], ...]
    names: Mapping[str, str]


def what_was_built(
    run: DbtRun, artifacts: Path, watched: Collection[WatchedSource]
) -> tuple[Built, list[WatchedSource]]:
    """What a run of dbt that went well has built, and what of the ``watched`` decides whether to build again.

    Raises NotKnownError where it was not all of the package, and where it built something of the
    project from what is not watched.
    """
    results = _read(artifacts / "run_results.json")
    if not run.invocation_id or results["metadata"]["invocation_id"] != run.invocation_id:
        raise NotKnownError("dbt did not write what it has done to run_results.json")
    manifest = _read(artifacts / "manifest.json")
    nodes: dict[str, Any] = manifest["nodes"]
    statuses = {result["unique_id"]: str(result["status"]) for result in results["results"]}
    for name, status in statuses.items():
        if status not in _FINE:
            raise NotKnownError(f"{name} ended as {status}")
    for name, node in nodes.items():
        is_of_package = node["package_name"] == _PACKAGE and node["resource_type"] in (
            "model",
            "seed",
        )
        if is_of_package and name not in statuses:
            raise NotKnownError(f"only a part was built, without {name}")
    built = {name: nodes[name] for name in statuses if name in nodes}
    ids = {one.name: _id_of(manifest, one.spec) for one in watched}
    _require_known(manifest, built, {name for name in ids.values() if name})
    # dbt writes seeds from files, which are compared: what they held before is of no interest.
    kept = [
        one for one in watched if built.get(ids[one.name] or "", {}).get("resource_type") != "seed"
    ]
    return _described(built), kept


def _described(built: Mapping[str, Any]) -> Built:
    stored = [node for node in built.values() if node.get("relation_name")]
    return Built(
        tables=tuple(
            sorted((node["schema"], node["alias"]) for node in stored if not _is_test(node))
        ),
        names={
            node["name"]: str(node["relation_name"])
            for node in stored
            if node["package_name"] == _PACKAGE and not _is_test(node)
        },
    )


def _require_known(
    manifest: Mapping[str, Any], built: Mapping[str, Any], watched: set[str]
) -> None:
    """Everything of the user that was built follows from what is watched.

    A table of the user is made anew by each build, from sources of which nobody knows what is new;
    only one that is made of the package's tables and of seeds alone stays as it is.
    """
    nodes: dict[str, Any] = manifest["nodes"]

    @cache
    def is_firm(name: str) -> bool:
        node = nodes.get(name)
        if node is None:
            return False
        if node["package_name"] == _PACKAGE or node["resource_type"] == "seed":
            return True
        parents = node["depends_on"]["nodes"]
        return bool(parents) and all(map(is_firm, parents))

    @cache
    def is_covered(name: str) -> bool:
        if name in watched or is_firm(name):
            return True
        node = nodes.get(name)
        if node is None or not _has_no_rows(node):
            return False
        parents = node["depends_on"]["nodes"]
        return bool(parents) and all(map(is_covered, parents))

    for name, node in built.items():
        if is_firm(name) or _has_no_rows(node):
            continue
        if not _is_test(node):
            raise NotKnownError(f"{name} may change with rows that mlmon does not look at")
        if not all(map(is_covered, node["depends_on"]["nodes"])):
            raise NotKnownError(f"{name} tests rows that mlmon does not look at")


def _is_test(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "test")


def _has_no_rows(node: Mapping[str, Any]) -> bool:
    return node.get("config", {}).get("materialized") in _NO_ROWS or node["resource_type"] in (
        "unit_test",
        "function",
    )


def _id_of(manifest: Mapping[str, Any], spec: Mapping[str, Any]) -> str | None:
    """dbt's id of the source or model that the configuration names, None where there is none such."""
    if "source" in spec:
        for name, source in manifest["sources"].items():
            if [source["source_name"], source["name"]] == list(spec["source"]):
                return str(name)
        return None
    named = spec.get("ref")
    *project, model = [named] if isinstance(named, str) else list(named or [None])
    for name, node in manifest["nodes"].items():
        if node["name"] == model and project in ([], [node["package_name"]]):
            return str(name)
    return None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotKnownError(f"{path} cannot be read") from None
