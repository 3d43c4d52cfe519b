"""Scripts of ``benchmarks/`` as modules, and a small generated tree that they read."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def benchmark() -> Callable[[str], ModuleType]:
    """A script by its name; the scripts import each other by name too."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.insert(0, str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture(scope="session")
def small_data(benchmark: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the quick runs find the tree of 4 videos and 80 frames, which several of them read."""
    folder = tmp_path_factory.mktemp("benchmarks")
    benchmark("tree").make_tree(folder / "tree_80", videos=4, frames=80, workers=1, progress=False)
    return folder
