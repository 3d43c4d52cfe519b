import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from process_tasks import count_up

from tpsparse.annotation.processes import Failure, run_processes


def collect(tasks: list[int], workers: int) -> dict[int, list]:
    found: dict[int, list] = {number: [] for number in range(len(tasks))}
    for number, item in run_processes(count_up, tasks, workers):
        found[number].append(item)
    return found


def test_no_tasks() -> None:
    assert collect([], 2) == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_gives_its_items_in_order(workers: int) -> None:
    assert collect([2, 0], workers) == {0: [0, 1], 1: []}


def test_a_task_that_fails_costs_itself_alone() -> None:
    found = collect([-1, -2, -3, -4, 2], 2)
    assert found[0] == [Failure("some.mp4 is broken: replace it")]
    assert found[1] == [Failure("gone.mp4: No such file or directory")]
    assert found[2][0] == 1
    assert found[2][1:] == [Failure("its process died with status 7 (the library says why): try another video")]
    assert found[3] == [Failure("KeyError: 'nothing'")]
    assert found[4] == [0, 1]


def test_leaving_early_ends_the_processes() -> None:
    started = time.monotonic()
    items = run_processes(count_up, [100, 1], 2)
    assert next(items) == (1, 0)
    items.close()
    assert time.monotonic() - started < 30
    assert not multiprocessing.active_children()


def test_a_parent_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    code = """
import sys
from process_tasks import count_up
from tpsparse.annotation.processes import run_processes

if __name__ == "__main__":
    for _, item in run_processes(count_up, [-5], 1):
        print(item, flush=True)
"""
    script = tmp_path / "parent.py"
    script.write_text(code)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(child)
    assert [path.name for path in tmp_path.iterdir()] == ["parent.py"], "no log is left"


def is_running(process: int) -> bool:
    """Whether a process is there and is not one that nobody has waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
