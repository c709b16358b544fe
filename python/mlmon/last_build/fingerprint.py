"""What a build is made of besides the rows: files, vars, target, environment and versions.

Each part is a hash, so that a run can say which of them has changed. Nothing here starts dbt.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlmon
from mlmon.errors import ConfigurationError
from mlmon.profile import PROJECT_FILE, Target, read_yaml, render

# The files beside dbt_project.yml that dbt reads, and the directories with their defaults.
_FILES = (PROJECT_FILE, "packages.yml", "dependencies.yml", "package-lock.yml", "selectors.yml")


_DIRECTORIES = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "test-paths": "tests",
    "macro-paths": "macros",
    "function-paths": "functions",
}


_PACKAGES = ("dbt-core", "dbt-adapters", "dbt-duckdb", "dbt-postgres", "duckdb", "numpy", "scipy")


_ENV_VAR = re.compile(rb"""\benv_var\s*\(\s*["'](\w+)["']""")


# Variables by which dbt itself builds something else; a build of a part or of a sample is none of a whole.
_DBT_VARIABLE = re.compile(
    r"DBT_(ENGINE_)?((EXCLUDE_)?RESOURCE_TYPES|DEFER\w*|FAVOR_STATE\w*|\w*STATE|EVENT_TIME_\w+"
    r"|INDIRECT_SELECTION|EMPTY|SAMPLE|STORE_FAILURES|WARN_ERROR\w*)"
)


_FULL_REFRESH = ("DBT_FULL_REFRESH", "DBT_ENGINE_FULL_REFRESH")


_NO = {"", "0", "false", "f", "no", "n", "off"}


# Keys of a target that say how to log in or how to work, not what comes out.
_NOT_COMPARED = re.compile(r"pass|secret|token|key|thread|retr|connect|keepalive", re.IGNORECASE)


def wants_full_refresh() -> bool:
    """Whether the environment asks dbt to build everything anew."""
    return any(os.environ.get(name, "").strip().lower() not in _NO for name in _FULL_REFRESH)


def project_fingerprints(
    target: Target, *, variables: str | None, select: str | None, exclude: str | None
) -> dict[str, str]:
    """What dbt would build from, in parts that are named as a sentence needs them.

    ``variables``, ``select`` and ``exclude`` are given to dbt. Raises ConfigurationError where a
    file cannot be read.
    """
    asked: set[str] = set()
    own = _hash_of(_hashed_files(target.project_dir, asked))
    packages = _hash_of(
        (f"{path.name}/{name}", found)
        for path in _packages(target.project_dir)
        for name, found in _hashed_files(path, asked)
    )
    asked |= {name for name in os.environ if _DBT_VARIABLE.fullmatch(name)}
    kept = {key: value for key, value in target.settings.items() if not _NOT_COMPARED.search(key)}
    return {
        "the files of the project": own,
        "the packages of the project": packages,
        "the vars": _hash_of(_parsed(variables)),
        "the selection": _hash_of([select, exclude]),
        "the target": _hash_of([target.name, target.kind, kept]),
        "the environment": _hash_of(
            # What dbt keeps secret can be in no model.
            [[name, os.environ.get(name)] for name in sorted(asked) if "ENV_SECRET" not in name]
        ),
        "the versions": _hash_of(_versions()),
    }


def _hashed_files(project: Path, asked: set[str]) -> Iterator[tuple[str, str]]:
    """The files that shape what dbt makes of a project or package, by name in it, each with its hash.

    The names of environment variables that they read are added to ``asked``.
    """
    settings = _settings(project)
    paths = [project / name for name in _FILES if (project / name).is_file()]
    for key, usual in _DIRECTORIES.items():
        for place in settings.get(key) or [usual]:
            paths += _files_below(project / str(place))
    for path in dict.fromkeys(paths):
        content = path.read_bytes()
        asked |= {name.decode() for name in _ENV_VAR.findall(content)}
        yield os.path.relpath(path, project), hashlib.sha256(content).hexdigest()


def _settings(project: Path) -> dict[str, Any]:
    named = (*_DIRECTORIES, "packages-install-path")
    found = read_yaml(project / PROJECT_FILE)
    rendered: dict[str, Any] = render({key: found.get(key) for key in named}, os.environ)
    return rendered


def _packages(project: Path) -> list[Path]:
    """The installed packages; those of a path on this machine are links."""
    named = (
        os.environ.get("DBT_PACKAGES_INSTALL_PATH") or _settings(project)["packages-install-path"]
    )
    place = project / (named or "dbt_packages")
    found = place.iterdir() if place.is_dir() else ()
    return sorted(path for path in found if (path / PROJECT_FILE).is_file())


def _files_below(directory: Path) -> list[Path]:
    """In order, links followed once, as dbt follows them."""
    found: list[Path] = []
    seen: set[str] = set()
    for place, directories, files in os.walk(directory, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            directories.clear()
            continue
        seen.add(real)
        directories[:] = sorted(name for name in directories if name != "__pycache__")
        found += [Path(place, name) for name in sorted(files)]
    return [path for path in found if path.is_file()]


def _parsed(variables: str | None) -> Any:
    import yaml

    try:
        return yaml.safe_load(variables or "{}")
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--vars is no valid YAML: {error}") from None


def _versions() -> Mapping[str, str]:
    """Python and the packages that compute, and the files of this one: it may be a checkout."""
    here = Path(mlmon.__file__).parent
    files = (
        (str(path.relative_to(here)), path.read_bytes()) for path in sorted(here.rglob("*.py"))
    )
    own = _hash_of((name, hashlib.sha256(content).hexdigest()) for name, content in files)
    return {
        "python": platform.python_version(),
        "mlmon": own,
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _hash_of(value: Any) -> str:
    if isinstance(value, Iterator):
        value = list(value)
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
