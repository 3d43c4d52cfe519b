"""Small data sets in the official layout, and random weights for the quick system.

The drawn data set has rectangles for people: one person a video in the first two actions, two in the third. Frames are
numbered from 1; boxes are ``xyxy`` in pixels.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tiny
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests share the machine; subprocesses inherit it."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def no_scope() -> None:
    """A run sets the scope in which names are looked up for the whole process; a test starts without it.

    So it does with the log, named by the second in which the run began: another of that second, in the next test, would
    write to what pytest had put in the place of the terminal.
    """
    from mmengine.logging import MMLogger
    from mmengine.registry import DefaultScope

    DefaultScope._instance_dict.clear()
    MMLogger._instance_dict.clear()


@pytest.fixture
def scope(no_scope: None) -> None:
    """Names in configs mean this package's classes, as in a run."""
    from mmengine.registry import init_default_scope

    init_default_scope("tpsparse")


@pytest.fixture
def little_room() -> Callable[[], AbstractContextManager[None]]:
    """A block in which no file may grow beyond 2,000 bytes, as on a disk that is all but full.

    A block, not the whole test: between a test and its clean-up pytest itself writes, perhaps to a file.
    """

    @contextmanager
    def block() -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return block


@pytest.fixture(scope="session")
def drawn() -> ModuleType:
    """How the drawn data set was made."""
    return tiny


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn data set: 3 actions, 2 training and 1 test video each, 12 frames of 64 x 96. Not to be changed."""
    return tiny.write_tiny(tmp_path_factory.mktemp("tiny") / "data")


@pytest.fixture
def tiny_copy(tiny_root: Path, tmp_path: Path) -> Path:
    """A copy of the drawn data set that a test may break."""
    return Path(shutil.copytree(tiny_root, tmp_path / "data", ignore=shutil.ignore_patterns("index")))


@pytest.fixture(scope="session")
def tiny_taxonomy(tiny_root: Path) -> Any:
    from tpsparse.taxonomy import Taxonomy

    return Taxonomy.from_root(tiny_root)


@pytest.fixture(scope="session")
def people_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articulated people: 2 actions, 2 training and 1 test video each, 8 frames of 96 x 128. Not to be changed."""
    from tpsparse.datasets.synthetic import write_dataset

    root = tmp_path_factory.mktemp("people") / "data"
    write_dataset(root, actions=2, train=2, test=1, frames=8, size=(96, 128), workers=1, progress=False)
    return root


@pytest.fixture(scope="session")
def random_weights() -> Callable[..., None]:
    return tiny.save_random_weights


@pytest.fixture(scope="session")
def quick_work_dir(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with random weights of the quick system for the drawn data set. Not to be changed."""
    folder = tmp_path_factory.mktemp("quick") / "work"
    tiny.save_random_weights(tiny.QUICK_SYSTEM, folder, tiny_root)
    return folder


@pytest.fixture(scope="session")
def load_tool() -> Callable[[str], ModuleType]:
    """A script of ``tools/`` as a module."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"tools_{name}", tiny.REPOSITORY / "tools" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_tool(load_tool: Callable[[str], ModuleType]) -> Callable[..., int]:
    """Run a script in this process as the shell would; its exit status."""
    from tpsparse.cli import run

    def call(name: str, *arguments: object) -> int:
        return run(load_tool(name).main, [str(argument) for argument in arguments])

    return call


@pytest.fixture(scope="session")
def narrow_parts() -> Callable[..., Path]:
    return tiny.narrow_part_config


@pytest.fixture(scope="session")
def environment() -> Callable[..., dict[str, str]]:
    return tiny.tool_environment


@pytest.fixture(scope="session")
def spoil() -> Callable[[Path], dict[str, str]]:
    return tiny.break_items


@pytest.fixture(scope="session")
def find_leftovers() -> Callable[[Path], list[str]]:
    return tiny.leftovers
