from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import socket
from pathlib import Path

import pytest

from tpsparse.errors import InputError
from tpsparse.structures import folder_lock as locks
from tpsparse.structures.folder_lock import LOCK_FILE, folder_lock


def refused(folder: Path) -> bool:
    """Whether a process of its own is kept out of a folder."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_enter, args=(folder,))
    process.start()
    process.join(30)
    assert process.exitcode in (0, 7)
    return process.exitcode == 7


def _enter(folder: Path) -> None:
    try:
        with folder_lock(folder):
            os._exit(0)
    except InputError:
        os._exit(7)


def hold(folder: Path) -> int:
    """A process that keeps a folder locked until it is killed; its number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with folder_lock(folder):
            os.write(writer, b"x")
            signal.pause()
    assert os.read(reader, 1) == b"x"
    os.close(reader), os.close(writer)
    return child


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def test_another_process_is_kept_out_while_the_block_runs(tmp_path):
    with folder_lock(tmp_path):
        assert refused(tmp_path)
    assert not refused(tmp_path)


def test_nothing_is_left(tmp_path):
    (tmp_path / "mine").touch()
    with folder_lock(tmp_path / "a" / "b"), folder_lock(tmp_path / "c"):
        assert (tmp_path / "a" / "b" / LOCK_FILE).is_file()
        (tmp_path / "c" / "result").touch()
    with pytest.raises(KeyError), folder_lock(tmp_path):
        raise KeyError
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["c", "mine", "result"]


def test_message(tmp_path):
    folder = tmp_path / "two words (é)"
    process = hold(folder)
    told = f"{folder} is used by another run (process {process} on {socket.gethostname()}): wait until that has ended, "
    with pytest.raises(InputError) as error, folder_lock(folder, remedy="give another --out"):
        pass
    assert str(error.value) == told + "or give another --out"
    kill(process)
    with folder_lock(folder):  # what a killed process leaves locks nothing
        assert (folder / LOCK_FILE).read_text() == f"process {os.getpid()} on {socket.gethostname()}"


def test_the_process_that_has_it_may_take_it_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("out")
    with folder_lock("out"):
        with folder_lock(tmp_path / "x" / ".." / "link"):
            assert refused(tmp_path / "out")
        assert refused(tmp_path / "out")  # the inner block has not given it up
        assert not refused(tmp_path / "out" / "below")
    assert not refused(tmp_path / "out")


def test_a_forked_process_does_not_keep_it(tmp_path):
    """A loader's worker outlives a training that is killed by some seconds, in which the training may be resumed."""
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        with folder_lock(tmp_path):
            worker = os.fork()
            if worker == 0:
                signal.pause()
            os.write(writer, worker.to_bytes(4, "little"))
            signal.pause()
    worker = int.from_bytes(os.read(reader, 4), "little")
    assert refused(tmp_path)
    kill(parent)
    try:
        assert not refused(tmp_path)
    finally:
        os.kill(worker, signal.SIGKILL)
    os.close(reader), os.close(writer)


def test_a_file_removed_while_it_is_opened_locks_nothing(tmp_path, monkeypatch):
    """The other run ends between the opening of the file and its locking: then there is a file of that name anew."""
    real, calls = fcntl.flock, []

    def flock(file, how):
        if not calls:
            (tmp_path / LOCK_FILE).unlink()
        calls.append(how)
        real(file, how)

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    with folder_lock(tmp_path):
        assert len(calls) == 2 and (tmp_path / LOCK_FILE).is_file()
        monkeypatch.undo()
        assert refused(tmp_path)


@pytest.mark.parametrize(("error", "goes_on"), [(OSError(38, "no locks"), True), (OSError(5, "broken disk"), False)])
def test_file_system_without_locks(tmp_path, monkeypatch, error, goes_on):
    def flock(file, how):
        raise error

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    done = []
    if goes_on:
        with pytest.warns(UserWarning, match="cannot be locked: see that no other run uses it"), folder_lock(tmp_path):
            done.append(1)
    else:
        with pytest.raises(OSError, match="broken disk"), folder_lock(tmp_path):
            done.append(1)
    assert bool(done) == goes_on and locks._held == {}


def test_no_room_for_its_content(tmp_path, monkeypatch):
    def write(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(locks.os, "write", write)
    with folder_lock(tmp_path):
        assert (tmp_path / LOCK_FILE).read_bytes() == b"" and refused(tmp_path)
