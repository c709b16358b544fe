"""A script of benchmarks/ as a module, to test what it says."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from support.dbt_project import ROOT


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
