"""Less work for dbt in tests: nothing that hangs on a text alone is worked out twice, and nobody reads debug events.

The macros of dbt, its adapters and this package are the same in every test project. Parsing and compiling their
texts was half of the time of a test; dbt has a memory for that in its own tests, and Jinja's byte code joins it
here. Each statement of a run is told in several debug events, whose making took a fifth of a build; renaming a
table took as long, because dbt gathers all macros for each call of an adapter's macro.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any


@cache
def lighten_dbt() -> None:
    """Prepare this process, once, for many small projects."""
    from dbt_common.tests import enable_test_caching

    enable_test_caching()
    _compile_each_text_once()
    _leave_debug_events_empty()
    _keep_contexts_of_macros()


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
