"""Reads dbt's project and profile files: where a project's warehouse is, and how to log in.

Credentials come from the profile alone, so there is no second place to configure them. The files
are rendered as dbt renders them, as far as profiles go: ``env_var`` and the conversion filters.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlmon.errors import ConfigurationError
from mlmon.redaction import register_secret

PROJECT_FILE = "dbt_project.yml"
PROFILES_FILE = "profiles.yml"


# Keys of a target whose values are shown nowhere.
_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """One output of a profile. ``settings`` may hold passwords and is left out of the repr."""

    project_dir: Path
    profiles_dir: Path
    profile: str
    name: str
    kind: str
    settings: Mapping[str, Any] = field(repr=False)


def read_target(
    project_dir: Path | None = None,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Target:
    """The output that dbt would use with the same options and environment variables.

    ``environment`` is laid over that of this process. Raises ConfigurationError, which names the
    file, the key and what was found.
    """
    variables = {**os.environ, **(environment or {})}
    project_dir = find_project(project_dir)
    project = read_yaml(project_dir / PROJECT_FILE)
    profile = profile or variables.get("DBT_PROFILE")
    profile = profile or render(project.get("profile"), variables)
    if not profile:
        raise ConfigurationError(f"{project_dir / PROJECT_FILE} names no profile: add one.")

    profiles_dir = find_profiles(project_dir, profiles_dir)
    path = profiles_dir / PROFILES_FILE
    profiles = read_yaml(path)
    if profile not in profiles:
        raise ConfigurationError(
            f"{path} has no profile {profile!r}: it has {_names(profiles)}. Name one of them in"
            f" {PROJECT_FILE} or with --profile."
        )
    outputs = _mapping(profiles[profile], f"{path}: profile {profile!r}").get("outputs") or {}
    name = target or variables.get("DBT_TARGET")
    name = name or render(profiles[profile].get("target"), variables) or "default"
    if name not in outputs:
        raise ConfigurationError(
            f"{path}: profile {profile!r} has no target {name!r}: it has {_names(outputs)}."
        )
    settings = render(_mapping(outputs[name], f"{path}: target {name!r}"), variables)
    for key, value in settings.items():
        if _SECRET.search(str(key)) and isinstance(value, str):
            register_secret(value)
    kind = str(settings.get("type", ""))
    return Target(project_dir, profiles_dir, profile, name, kind, settings)


def find_project(project_dir: Path | None = None) -> Path:
    """The directory of the dbt project: the one given, or the working directory."""
    found = (project_dir or Path(os.environ.get("DBT_PROJECT_DIR") or ".")).resolve()
    if not (found / PROJECT_FILE).is_file():
        raise ConfigurationError(
            f"{found} is no dbt project: it has no {PROJECT_FILE}. Run mlmon in the project's"
            " directory or name it with --project-dir."
        )
    return found


def find_profiles(project_dir: Path, profiles_dir: Path | None = None) -> Path:
    """The directory of profiles.yml: as given, else where dbt looks when run in the project."""
    named = profiles_dir or (
        Path(os.environ["DBT_PROFILES_DIR"]) if os.environ.get("DBT_PROFILES_DIR") else None
    )
    places = [named] if named else [Path.cwd(), project_dir, Path.home() / ".dbt"]
    for place in places:
        if (place / PROFILES_FILE).is_file():
            return place.resolve()
    looked = ", ".join(str(place) for place in places)
    raise ConfigurationError(
        f"No {PROFILES_FILE} in {looked}. Name its directory with --profiles-dir."
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping. Raises ConfigurationError where it does not."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        # What it found there may be a password: the place says enough.
        mark = getattr(error, "problem_mark", None)
        where = f", in line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path} is no valid YAML{where}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no text in UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    return _mapping(content, str(path))


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{what} should hold a mapping of keys to values.")
    return value


def render(value: Any, variables: Mapping[str, str]) -> Any:
    """A value with its templates filled in, as far as profiles go. Raises ConfigurationError."""
    if isinstance(value, Mapping):
        return {key: render(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [render(entry, variables) for entry in value]
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return _render_text(value, variables)
    return value


def _render_text(text: str, variables: Mapping[str, str]) -> Any:
    from jinja2 import TemplateError
    from jinja2.nativetypes import NativeEnvironment
    from jinja2.sandbox import SandboxedEnvironment

    class SandboxedNativeEnvironment(SandboxedEnvironment, NativeEnvironment):
        pass

    # Only a conversion filter makes anything but text of a template, as in dbt.
    converts = any(f"as_{kind}" in text for kind in ("number", "bool", "native"))
    environment = SandboxedNativeEnvironment() if converts else SandboxedEnvironment()
    environment.filters.update(
        as_number=_as_number, as_bool=_as_bool, as_native=_as_is, as_text=str
    )
    environment.globals["env_var"] = lambda name, default=None: _env_var(
        variables.get(name, default), name
    )
    try:
        return environment.from_string(text).render()
    except ConfigurationError:
        raise
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Neither the value nor what is said of it is repeated: they may hold a secret.
        raise ConfigurationError(
            f"A value of the profile cannot be rendered ({type(error).__name__}); its filters are"
            " as_number, as_bool, as_native, as_text."
        ) from None


def _env_var(value: str | None, name: str) -> str:
    if value is None:
        raise ConfigurationError(
            f"The environment variable {name} is not set, and the profile gives no default for it."
        )
    return value


def _as_number(value: Any) -> int | float:
    try:
        return int(value)
    except ValueError:
        return float(value)


def _as_bool(value: Any) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes", "on"}


def _as_is(value: Any) -> Any:
    return value


def _names(mapping: Mapping[str, Any]) -> str:
    return ", ".join(sorted(str(name) for name in mapping if name != "config")) or "none"
