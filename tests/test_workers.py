"""Work in several processes. The functions are of this module, since a fresh interpreter has to find them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tpsparse.workers import Crashed, run_alone, run_pooled


def square(number: int) -> tuple[int, int]:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        raise ValueError("four")
    return number * number, os.getpid()


def test_in_this_process_where_one_is_asked_for():
    assert list(run_pooled(square, [1, 2], 1)) == [(1, (1, os.getpid())), (2, (4, os.getpid()))]
    assert list(run_pooled(square, [], 2)) == []


def test_a_single_item_cannot_crash_this_process():
    [(item, result)] = run_pooled(square, [3], 2)
    assert item == 3 and isinstance(result, Crashed)


def test_in_others():
    done = dict(run_pooled(square, [1, 2, 5], 2))
    assert {item: result[0] for item, result in done.items()} == {1: 1, 2: 4, 5: 25}
    assert os.getpid() not in {result[1] for result in done.values()}


def test_a_crash_costs_its_item():
    done = dict(run_pooled(square, [1, 3, 2, 5], 2))
    assert isinstance(done.pop(3), Crashed)
    assert {item: result[0] for item, result in done.items()} == {1: 1, 2: 4, 5: 25}


def test_an_error_ends_the_whole():
    with pytest.raises(ValueError, match="four"):
        list(run_pooled(square, [1, 4, 2], 2))


def test_alone():
    assert run_alone(square, 2)[0] == 4 and isinstance(run_alone(square, 3), Crashed)


def wait(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def test_workers_end_with_their_parent(tmp_path, environment):
    guarded = (
        "from test_workers import wait\nfrom tpsparse.workers import run_pooled\n"
        f"if __name__ == '__main__':\n    list(run_pooled(wait, [{str(tmp_path)!r}] * 2, 2))\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(guarded)
    paths = os.pathsep.join([str(Path(__file__).parent), environment()["PYTHONPATH"]])
    parent = subprocess.Popen([sys.executable, str(script)], env=environment(PYTHONPATH=paths))
    started = lambda: [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]  # noqa: E731
    until(lambda: len(started()) == 2)
    parent.kill()
    parent.wait()
    until(lambda: not any(is_running(process) for process in started()))


def until(holds, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"
