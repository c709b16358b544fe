"""Small dbt projects that install this package, and dbt in the test's own process.

Starting dbt costs more than most runs, so every project of a pytest process shares one; parsing is
repeated only where a project's files or vars have changed. A DuckDB file is let go after each run,
so that a test may read or write between two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from support.dbt_memory import collect_garbage_at_times, lighten_dbt
from support.warehouses import Warehouse

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]

# They are brought up to date together: where one is missing, the next run judges all ends again.
# (Where a monitor asks for joint drift, fct_mlmon__multivariate_drift is one of them.)
DRIFT_MARTS = [f"fct_mlmon__{mart}" for mart in ("distributions", "drift", "column_drift")]


@dataclass(frozen=True, slots=True)
class DbtResult:
    """What one dbt command did.

    ``statuses`` has the outcome of each node (success, pass, error, fail, skipped …) by its name,
    or by its unique id where two share one; ``messages`` what nodes said when they failed;
    ``logged`` what macros logged.
    """

    ok: bool
    statuses: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    exception: BaseException | None = None
    logged: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that went wrong, as one text."""
        said = [str(self.exception)] if self.exception else []
        said += self.errors
        said += [f"{name}: {text}" for name, text in self.messages.items()]
        return "\n".join(said)

    def require(self) -> DbtResult:
        """The same result, or an AssertionError with all that dbt said."""
        assert self.ok, self.text
        return self


@dataclass(slots=True)
class DbtProject:
    """A consumer's project in a directory of its own, and its warehouse."""

    directory: Path
    warehouse: Warehouse
    _manifest: Manifest | None = None
    _parsed_vars: list[str] = field(default_factory=list)

    def run(self, *arguments: str, parse_again: bool = False) -> DbtResult:
        """Run a dbt command, such as ``run("build", "--select", "staging")``.

        The project is parsed once, and again after `write`, `set_vars` or with other ``--vars``, so
        that repeated runs are quick; ``parse_again`` forces it. Nothing is raised: see
        `DbtResult.require`.
        """
        given = _vars_of(arguments)
        if arguments[0] == "parse" or parse_again or given != self._parsed_vars:
            self._manifest = None
        if self._manifest is None and arguments[0] != "deps":
            parsed, manifest = self._invoke(
                *(arguments if arguments[0] == "parse" else ["parse", *given])
            )
            if arguments[0] == "parse" or not parsed.ok:
                return parsed
            self._manifest, self._parsed_vars = manifest, given
        return self._invoke(*arguments)[0]

    def build(self, *arguments: str) -> DbtResult:
        """`dbt build`; an AssertionError with dbt's words where it fails."""
        return self.run("build", *arguments).require()

    def build_for(self, *tables: str) -> DbtResult:
        """`dbt build` of these tables and what they are made of: a third of the package, mostly."""
        return self.build("--select", *(f"+{table}" for table in tables))

    def build_with_facts(self, *tables: str) -> DbtResult:
        """The same, and all facts: a window of which one is missing is searched and counted again by the next run."""
        return self.build_for(*window_facts(), *tables)

    def write(self, path: str, text: str) -> None:
        """Write a file of the project; the next run parses again."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self._manifest = None

    def set_vars(self, values: Mapping[str, Any]) -> None:
        """Replace the vars of dbt_project.yml; the next run parses again."""
        settings = yaml.safe_load((self.directory / "dbt_project.yml").read_text())
        settings["vars"] = dict(values)
        self.write("dbt_project.yml", _yaml(settings))

    def read(self, table: str) -> Any:
        """A table that dbt built, as a pandas frame."""
        return self.warehouse.read(table)

    def models(self) -> dict[str, str]:
        """The models that dbt would build, each with the path of its file."""
        parsed, manifest = self._invoke("parse")
        parsed.require()
        assert manifest is not None
        return {
            node.name: node.original_file_path
            for node in manifest.nodes.values()
            if node.resource_type.value == "model"
        }

    def compiled(self, model: str) -> str:
        """The SQL of a model as dbt last compiled it."""
        [path] = (self.directory / "target" / "compiled").glob(f"**/{model}.sql")
        return path.read_text(encoding="utf-8")

    def _invoke(self, *arguments: str) -> tuple[DbtResult, Manifest | None]:
        from dbt.cli.main import dbtRunner
        from dbt.contracts.graph.manifest import Manifest

        warnings: list[str] = []
        errors: list[str] = []
        logged: list[str] = []

        def listen(event: Any) -> None:
            if event.info.name == "JinjaLogInfo":
                logged.append(event.info.msg)
            if event.info.level == "warn":
                warnings.append(event.info.msg)
            elif event.info.level == "error":
                errors.append(event.info.msg)

        folder = str(self.directory)
        where = ["--project-dir", folder, "--profiles-dir", folder]
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-print", "--no-write-json"]
        before = Path.cwd()
        lighten_dbt()
        _forget_compilation(self._manifest)
        collect_garbage_at_times()
        try:
            runner = dbtRunner(manifest=self._manifest, callbacks=[listen])
            # `docs generate` is one command.
            words = 2 if arguments[0] == "docs" else 1
            done = runner.invoke([*arguments[:words], *where, *quiet, *arguments[words:]])
        finally:
            os.chdir(before)
            _let_go_of_duckdb()
        manifest = done.result if isinstance(done.result, Manifest) else None
        # What an operation returns tells of no node.
        nodes = [one for one in getattr(done.result, "results", []) if hasattr(one, "node")]
        names = [node.node.name for node in nodes]
        keys = [
            node.node.name if names.count(node.node.name) == 1 else node.node.unique_id
            for node in nodes
        ]
        result = DbtResult(
            ok=done.success,
            statuses={key: str(node.status) for key, node in zip(keys, nodes, strict=True)},
            messages={
                key: str(node.message)
                for key, node in zip(keys, nodes, strict=True)
                if str(node.status) in {"error", "fail", "runtime error", "warn"}
            },
            warnings=warnings,
            errors=errors,
            exception=done.exception,
            logged=logged,
        )
        return result, manifest


# The fixture of that name: `create_project` with a directory and a warehouse made for it.
MakeProject: TypeAlias = Callable[..., DbtProject]


def create_project(
    directory: Path,
    warehouse: Warehouse,
    *,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 (dbt's own word)
    sources: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str = "consumer",
    package: Path = ROOT,
) -> DbtProject:
    """Write a project that installs the package from ``package`` and return it.

    ``sources`` maps the name of a source, which is also its schema, to its tables; ``files`` maps
    paths inside the project to their texts (models, seeds, YAML); ``settings`` is merged over
    dbt_project.yml. What `dbt deps` makes of a local package is a link, which is made here.
    """
    project = DbtProject(directory, warehouse)
    written = {
        "name": name,
        "version": "1.0.0",
        "config-version": 2,
        "profile": name,
        "vars": dict(vars or {}),
        "flags": {"send_anonymous_usage_stats": False},
        **(settings or {}),
    }
    profile = {name: {"target": "test", "outputs": {"test": warehouse.profile()}}}
    project.write("dbt_project.yml", _yaml(written))
    project.write("profiles.yml", _yaml(profile))
    project.write("packages.yml", _yaml({"packages": [{"local": str(package)}]}))
    if sources:
        declared = [
            {"name": source, "schema": source, "tables": [{"name": table} for table in tables]}
            for source, tables in sources.items()
        ]
        project.write("models/sources.yml", _yaml({"version": 2, "sources": declared}))
    # Where a project has no macros at all, each dispatch first raises and catches an error: a tenth of a parse.
    project.write("macros/nothing.sql", "{% macro nothing() %}{% endmacro %}\n")
    for path, text in (files or {}).items():
        project.write(path, text)
    (directory / "dbt_packages").mkdir()
    (directory / "dbt_packages" / "mlmon").symlink_to(package)
    return project


@cache
def window_facts() -> list[str]:
    """The models that hold the facts of windows, as the package lists them."""
    return re.findall(r"int_mlmon__\w+", (ROOT / "macros/windows/facts.sql").read_text())


def package_of_macros(directory: Path) -> Path:
    """The package with its macros and nothing else, written into ``directory``: it parses in a second."""
    (directory / "dbt_project.yml").write_text((ROOT / "dbt_project.yml").read_text())
    (directory / "macros").symlink_to(ROOT / "macros")
    return directory


def _vars_of(arguments: Sequence[str]) -> list[str]:
    """The --vars of a command: they shape the parsed project as well."""
    given = list(arguments)
    return given[given.index("--vars") :][:2] if "--vars" in given else []


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=1000)


def _forget_compilation(manifest: Manifest | None) -> None:
    """Let a parsed project be compiled again: dbt injects ephemeral models only once."""
    from dbt.contracts.graph.nodes import CompiledNode

    nodes: Iterable[Any] = manifest.nodes.values() if manifest else ()
    for compiled in nodes:
        if isinstance(compiled, CompiledNode) and compiled.extra_ctes_injected:
            compiled.extra_ctes_injected = False
            compiled.extra_ctes = []


def _let_go_of_duckdb() -> None:
    """Close the file that dbt-duckdb holds until its process ends."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment: Any = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
        DuckDBConnectionManager._ENV = None
