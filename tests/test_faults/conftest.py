"""Runs that can be killed, and what they run: see fault_runs.py and small_system.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import Runs, warm_runs
from small_system import write_fusion, write_systems


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    with warm_runs() as server:
        yield server


@pytest.fixture(scope="session")
def systems(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A system that parses any video and one that has a score; their weights are in ``work`` beside them."""
    return write_systems(tmp_path_factory.mktemp("systems"), tiny_root)


@pytest.fixture(scope="session")
def fusion(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a fusion that trains in half a second."""
    return write_fusion(tmp_path_factory.mktemp("fusion"), tiny_root)
