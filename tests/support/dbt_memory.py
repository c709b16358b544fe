"""Less work for dbt in tests: nothing that hangs on a text alone is worked out twice, and nobody reads debug events.

The macros of dbt, its adapters and this package are the same in every test project. Parsing and compiling their
texts was half of the time of a test; dbt has a memory for that in its own tests, and Jinja's byte code joins it
here. Each statement of a run is told in several debug events, whose making took a fifth of a build; renaming a
table took as long, because dbt gathers all macros for each call of an adapter's macro. What is left of that is done
twice for every node, in a slow way, and each look at whether a table is there compares it with all others.
"""

from __future__ import annotations

import gc
import itertools
import threading
from functools import cache
from typing import Any

RUNS_A_COLLECTION = 10
_runs = itertools.count(1)


@cache
def lighten_dbt() -> None:
    """Prepare this process, once, for many small projects."""
    from dbt_common.tests import enable_test_caching

    gc.disable()
    enable_test_caching()
    _compile_each_text_once()
    _leave_debug_events_empty()
    _keep_contexts_of_macros()
    _gather_macros_at_once()
    _compare_relations_of_one_name()
    _make_one_empty_table()
    _name_no_source_of_flags()


def collect_garbage_at_times() -> None:
    """Look for garbage once in so many runs of dbt.

    A parsed project is a million objects that stay: searching them, as Python does while they are made and again
    after, took a fifth of each run.
    """
    if next(_runs) % RUNS_A_COLLECTION == 0:
        gc.collect()


def _compile_each_text_once() -> None:
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    compile_anew = MacroFuzzEnvironment.compile
    compiled: dict[tuple[type, str], Any] = {}

    def compile_once(self: Any, source: Any, *arguments: Any, **options: Any) -> Any:
        # Filters and tests are looked up while compiling; each class of environment has its own.
        if not isinstance(source, str) or arguments or options:
            return compile_anew(self, source, *arguments, **options)
        key = (type(self), source)
        if key not in compiled:
            compiled[key] = compile_anew(self, source)
        return compiled[key]

    MacroFuzzEnvironment.compile = compile_once  # type: ignore[method-assign]


def _leave_debug_events_empty() -> None:
    from dbt_common.events.base_types import BaseEvent, DebugLevel, DynamicLevel, EventLevel
    from dbt_common.events.event_manager import EventManager

    fill, fire = BaseEvent.__init__, EventManager.fire_event

    def is_debug(event: BaseEvent, level: EventLevel | None) -> bool:
        return (level or event.level_tag()) == EventLevel.DEBUG

    def fill_if_read(self: BaseEvent, *arguments: Any, **values: Any) -> None:
        # An event of a dynamic level may become a warning only when it is fired.
        if isinstance(self, DebugLevel) and not isinstance(self, DynamicLevel):
            arguments, values = (), {}
        fill(self, *arguments, **values)

    def fire_if_read(
        self: EventManager, e: BaseEvent, level: EventLevel | None = None, *rest: Any, **more: Any
    ) -> None:
        if not is_debug(e, level):
            fire(self, e, level, *rest, **more)

    BaseEvent.__init__ = fill_if_read  # type: ignore[method-assign]
    EventManager.fire_event = fire_if_read  # type: ignore[method-assign]


def _keep_contexts_of_macros() -> None:
    from dbt.adapters.base.impl import BaseAdapter

    set_generator: Any = BaseAdapter.set_macro_context_generator

    def set_remembering(self: BaseAdapter, macro_context_generator: Any) -> None:
        # One for each invocation of dbt: it ends with the configuration and the project it was made for.
        contexts: dict[tuple[int, int, str, str | None], Any] = {}

        def context_of(macro: Any, config: Any, manifest: Any, package_name: str | None) -> Any:
            key = (threading.get_ident(), id(manifest), macro.unique_id, package_name)
            if key not in contexts:
                contexts[key] = macro_context_generator(macro, config, manifest, package_name)
            return contexts[key]

        set_generator(self, context_of)

    BaseAdapter.set_macro_context_generator = set_remembering  # type: ignore[method-assign]


def _gather_macros_at_once() -> None:
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder

    class FlatNamespace(MacroNamespace):
        """A context copies all names, each of which was looked up in five mappings."""

        def __init__(self, **names: Any) -> None:
            super().__init__(**names)
            self.flat: dict[str, Any] = {}
            for found in reversed(list(self._search_order())):
                self.flat.update(found)

        def keys(self) -> Any:
            return self.flat.keys()

        def __getitem__(self, key: str) -> Any:
            return self.flat[key]

    def build_at_once(
        self: MacroNamespaceBuilder, macros_by_package: dict[str, dict[str, Any]], ctx: Any
    ) -> MacroNamespace:
        node, stack = self.node, self.thread_ctx
        packages: dict[str, Any] = {
            package: {m.name: MacroGenerator(m, ctx, node, stack) for m in macros.values()}
            for package, macros in macros_by_package.items()
        }
        of_dbt: dict[str, Any] = {}
        for name in reversed(self.internal_package_names_order):
            of_dbt.update(packages.pop(name, {}))
        of_root = packages.get(self.root_package, {})
        return FlatNamespace(
            global_namespace=of_root if self.root_package != self.search_package else {},
            local_namespace=packages.get(self.search_package, {}),
            global_project_namespace=of_dbt,
            packages=packages,
        )

    MacroNamespaceBuilder.build_namespace = build_at_once  # type: ignore[method-assign]


def _compare_relations_of_one_name() -> None:
    from dbt.adapters.base.impl import BaseAdapter

    match: Any = BaseAdapter._make_match

    def match_name_first(
        self: BaseAdapter, relations_list: list[Any], database: str, schema: str, identifier: str
    ) -> list[Any]:
        named = [one for one in relations_list if one.identifier.lower() == identifier.lower()]
        return list(match(self, named, database, schema, identifier))

    BaseAdapter._make_match = match_name_first  # type: ignore[method-assign]


def _make_one_empty_table() -> None:
    from dbt_common.clients import agate_helper

    # What a statement without rows returns; guessing the types of no columns loads calendars.
    agate_helper.empty_table = cache(agate_helper.empty_table)


def _name_no_source_of_flags() -> None:
    from dbt_common.behavior_flags import BehaviorFlagRendered

    # For each flag of each run dbt looks through all loaded modules for the one that is on top of the stack.
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
