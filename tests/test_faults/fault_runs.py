"""Runs of the tools in processes of their own that can be killed at any moment.

They are forked from a process in which everything is imported, so that one starts in a fraction of a second and twenty
can be killed within a minute.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("train", "test", "parse_video", "reproduce", "prepare_data")
FILE_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
"""What Python tells its auditors of before it is done to a file."""
LONGEST = 120.0
"""Seconds after which a run is taken to hang."""


@dataclass
class Ended:
    """How a run has ended: its exit status (below 0 the signal), seconds, file events, and what it printed."""

    status: int
    seconds: float
    events: int
    printed: str


@contextmanager
def warm_runs() -> Iterator[Runs]:
    """A process with everything imported, from which runs are forked; it ends with the block."""
    paths = [str(REPOSITORY), str(REPOSITORY / "tests"), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fault_warm"])
    try:
        yield Runs(context)
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


class Runs:
    """Starts runs of the tools."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def start(self, tool: str, arguments: Sequence[object], log: Path, watched: Path) -> Run:
        """Run a script of ``tools/``; what it does to files in ``watched`` is counted."""
        reader, writer = self.context.Pipe(duplex=False)
        words = [str(argument) for argument in arguments]
        process = self.context.Process(target=run_tool, args=(tool, words, str(log), str(watched), writer))
        process.start()
        writer.close()
        return Run(process, reader, log)

    def finish(self, tool: str, arguments: Sequence[object], log: Path, watched: Path) -> Ended:
        """Run a script to its end."""
        return self.start(tool, arguments, log, watched).wait()


class Run:
    """A run that is going on."""

    def __init__(self, process: Any, reader: Connection, log: Path) -> None:
        self.process, self.reader, self.log = process, reader, log
        self.events = 0
        self._await_event(LONGEST)  # the first is told when the work begins
        self.events, self.start = 0, time.monotonic()

    def wait(self) -> Ended:
        """To its own end."""
        while self._await_event(LONGEST):
            pass
        return self._end()

    def kill_after(self, seconds: float) -> Ended:
        """Kill it outright some time after its start, unless it has ended by then."""
        while (left := self.start + seconds - time.monotonic()) > 0 and self._await_event(left):
            pass
        self.process.kill()
        return self._end()

    def kill_at_event(self, number: int, delay: float) -> Ended:
        """Kill it outright shortly after it has begun to do something to a file for the ``number``-th time."""
        while self.events < number and self._await_event(LONGEST):
            pass
        time.sleep(delay)
        self.process.kill()
        return self._end()

    def _await_event(self, seconds: float) -> bool:
        """Whether something was done to a file before it ended or the time was up."""
        if not self.reader.poll(seconds):
            return False
        try:
            self.reader.recv_bytes()
        except EOFError:
            return False
        self.events += 1
        return True

    def _end(self) -> Ended:
        self.process.join(LONGEST)
        assert self.process.exitcode is not None, f"hangs: {self.log.read_text()[-2000:]}"
        self.reader.close()
        seconds = time.monotonic() - self.start
        return Ended(self.process.exitcode, seconds, self.events, self.log.read_text(errors="replace"))


def kill_somewhere(run: Run, whole: Ended, generator: np.random.Generator) -> Ended:
    """Kill a run at a random moment of those that the undisturbed run has had: of its time, or of its work on files."""
    if generator.random() < 0.5:
        return run.kill_after(generator.uniform(0, whole.seconds))
    return run.kill_at_event(int(generator.integers(1, whole.events + 1)), generator.uniform(0, 0.004))


def run_tool(tool: str, arguments: list[str], log: str, watched: str, writer: Connection) -> None:
    """What the forked process does: as the shell would run the tool, with its output in a file."""
    import fault_warm

    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.register_at_fork(after_in_child=writer.close)  # its end is then the end of this process alone
    writer.send_bytes(b"begins")
    tell_events(watched, writer)
    status = fault_warm.run(tool, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def tell_events(folder: str, writer: Connection) -> None:
    """Send a message whenever this process is about to write, rename or remove a file in a folder."""
    own = os.getpid()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in FILE_EVENTS or os.getpid() != own or not isinstance(arguments[0], (str, os.PathLike)):
            return
        if event == "open" and not _writes(*arguments[1:3]):
            return
        if os.fspath(arguments[0]).startswith(folder):
            writer.send_bytes(event.encode())

    sys.addaudithook(hook)


def _writes(mode: str | None, flags: int) -> bool:
    return bool(set(mode) & set("wax+")) if mode else bool(flags & (os.O_WRONLY | os.O_RDWR))


def load_tool(name: str) -> Any:
    """A script of ``tools/`` as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", REPOSITORY / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
