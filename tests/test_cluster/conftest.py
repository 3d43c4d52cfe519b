"""A Ray that the tests of this folder share, and small collections."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import broken_videos
import numpy as np
import pytest

HERE = Path(__file__).parent
# Nobody else is let in. Here, because Ray reads this once, when the first test imports it.
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(20))
# It ends with the process that feeds it, however that ends, and Ray's processes end with it.
HEAD = """
import ray, sys
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
         object_store_memory=80_000_000, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def ray_environment() -> Iterator[dict[str, str]]:
    """What Ray's processes are given: modules of this folder, and a place whose name is short enough for sockets."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install -r requirements/cluster.txt")
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    paths = [str(HERE), str(HERE.parent), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    given = {
        "RAY_TMPDIR": folder,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "RAY_worker_niceness": "0",  # by default workers wait for all else on the machine
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield {**os.environ}
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ray_address(ray_environment: dict[str, str]) -> Iterator[str]:
    """Of a Ray with two cores, to which a run connects in a fraction of the time that it takes to start one."""
    with ray_head(ray_environment) as (address, _):
        yield address


@contextmanager
def ray_head(environment: dict[str, str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """A Ray: where it is, and what ends it in order."""
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert head.stdin is not None and head.stdout is not None
    address = head.stdout.readline().strip()
    assert address
    try:
        yield address, head.stdin.close
    finally:
        head.stdin.close()
        head.wait(30)


@pytest.fixture(scope="session")
def another_ray(ray_environment: dict[str, str]) -> Callable[..., Any]:
    """Makes a Ray that may be ended, which others do not share; what is given is added to its environment."""
    return lambda **changes: ray_head({**ray_environment, **changes})


@pytest.fixture
def videos(tmp_path: Path) -> Callable[..., list[Path]]:
    """Write short videos of these names into a folder of the test."""

    def write(*names: str) -> list[Path]:
        paths = [tmp_path / "videos" / name for name in names]
        for number, path in enumerate(paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(
                broken_videos.encoded(broken_videos.pictures(np.random.default_rng(number), frames=3 + number % 3))
            )
        return paths

    return write


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of an output folder but the summary, which tells of this run too: what an undisturbed run leaves."""

    def read(out: Path) -> dict[str, bytes]:
        files = (path for path in out.rglob("*") if path.is_file() and path.name != "summary.json")
        return {str(path.relative_to(out)): path.read_bytes() for path in files}

    return read
