"""tools/launch.py: what it tells of processes that ended badly."""

from __future__ import annotations

import signal

import pytest
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from tpsparse.engine import launch


@pytest.fixture(scope="module")
def launcher(load_tool):
    return load_tool("launch")


def failure(rank: int, exitcode: int, *, seconds: int = 0) -> ProcessFailure:
    found = ProcessFailure(local_rank=rank, pid=100 + rank, exitcode=exitcode, error_file="<N/A>")
    found.timestamp = seconds
    return found


@pytest.mark.parametrize(
    ("exitcode", "told"),
    [
        (-signal.SIGKILL, "was killed by SIGKILL (by a user, or by the system when memory ran out: see dmesg)"),
        (-signal.SIGSEGV, "was killed by SIGSEGV; the"),
        (1, "ended with status 1, its message is above; the"),
    ],
)
def test_cause(launcher, exitcode, told):
    line = launcher.describe({3: failure(3, exitcode)})
    assert line.startswith("process 3 (pid 103 on ") and told in line
    assert line.endswith("the other processes were ended")


def test_the_first_to_end_is_the_cause(launcher):
    failures = {0: failure(0, 1, seconds=9), 2: failure(2, -signal.SIGKILL, seconds=5)}
    assert launcher.describe(failures).startswith("process 2 ")


def test_a_process_that_lost_its_peer_is_not_the_cause(launcher):
    failures = {0: failure(0, launch.LOST_PEER, seconds=1), 1: failure(1, -signal.SIGKILL, seconds=2)}
    assert launcher.describe(failures).startswith("process 1 ")


def test_the_cause_is_on_another_node(launcher):
    told = launcher.describe({0: failure(0, launch.LOST_PEER)})
    assert told.startswith("process 0 lost the connection to another one, which is silent or on another node: see")


def test_status_is_that_of_the_package(launcher):
    from tpsparse.cli import FAILED

    assert (launcher.LOST_PEER, launcher.FAILED) == (launch.LOST_PEER, FAILED)


@pytest.mark.parametrize(
    ("script", "again"),
    [("/a b/tools/train.py", "the same command and --resume"), ("tools/test.py", "the same command")],
)
def test_remedy(launcher, monkeypatch, tmp_path, script, again):
    monkeypatch.delenv(launch.LOG_FILE_TOLD, raising=False)
    assert launcher.remedy(script) == f"Log: none yet. Go on with {again}"
    (tmp_path / "tøld (1)").write_text("run/a.log\n")
    monkeypatch.setenv(launch.LOG_FILE_TOLD, str(tmp_path / "tøld (1)"))
    assert launcher.remedy(script) == f"Log: run/a.log. Go on with {again}"


def test_nodes_that_do_not_meet(launcher, monkeypatch, capsys):
    def failing(args):
        raise launcher.RendezvousError("timed out\nmore")

    monkeypatch.setattr(launcher.run, "run", failing)
    monkeypatch.setenv("LOGLEVEL", "WARNING")  # without it all logging of the process is switched off
    assert launcher.main(["--nnodes", "2", "--master_addr", "a", "--master_port", "1", "x.py"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the nodes have not met at a:1 (timed out): check that")
