"""Work in processes of its own, one a task: one that crashes costs its task, and no library's noise is seen."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from ..errors import InputError
from ..workers import end_with

_END = "end"


@dataclass(frozen=True)
class Failure:
    """Why a task could not be done to its end."""

    message: str


@dataclass
class _Running:
    task: int
    process: Any
    # What the process writes to its standard error, of which the last line is told if it dies. A file without a name
    # once the process runs, so that a parent that is killed leaves none.
    noise: Any
    noise_path: str


def run_processes(
    work: Callable[[Any], Iterable[Any]], tasks: Sequence[Any], workers: int
) -> Iterator[tuple[int, Any]]:
    """Give each task to a fresh process, at most ``workers`` at a time.

    Args:
        work: A function of a module; what it yields for a task is passed on. It and the tasks are pickled.
        tasks: In the order in which they are begun.
        workers: At least 1.

    Yields:
        The position of a task and what was yielded for it, as it comes; a :class:`Failure` where the work raised an
        error or its process died.
    """
    # A fresh interpreter for each: forking a process with running threads can hang.
    context = multiprocessing.get_context("spawn")
    coming = iter(enumerate(tasks))
    running: dict[Connection, _Running] = {}
    try:
        while True:
            while len(running) < workers and (following := next(coming, None)) is not None:
                connection, started = _start(context, work, *following)
                running[connection] = started
            if not running:
                return
            for ready in wait(list(running)):
                connection = cast(Connection, ready)
                item = _receive(connection, running[connection])
                if item != _END:
                    yield running[connection].task, item
                if item == _END or isinstance(item, Failure):
                    _finish(connection, running.pop(connection))
    finally:
        for connection, started in running.items():
            started.process.terminate()
            _finish(connection, started)


def _start(context: Any, work: Callable[[Any], Iterable[Any]], number: int, task: Any) -> tuple[Connection, _Running]:
    receiver, sender = context.Pipe(duplex=False)
    file, path = tempfile.mkstemp(prefix="tpsparse-annotate-", suffix=".log")
    noise = open(file, "rb")  # noqa: SIM115 - closed by _finish
    process = context.Process(target=_serve, args=(work, task, sender, path, os.getpid()), daemon=True)
    process.start()
    sender.close()  # else the end of the process would not be seen here
    return receiver, _Running(number, process, noise, path)


def _serve(work: Callable[[Any], Iterable[Any]], task: Any, sender: Connection, noise: str, parent: int) -> None:
    end_with(parent)
    # MediaPipe's C++ writes to the file descriptor, past Python's sys.stderr.
    with open(noise, "ab") as file:
        os.dup2(file.fileno(), 2)
    os.unlink(noise)
    try:
        for item in work(task):
            sender.send(item)
        sender.send(_END)
    except InputError as error:
        sender.send(Failure(str(error)))
    except OSError as error:
        told = error.strerror or str(error)
        sender.send(Failure(told if error.filename is None else f"{error.filename}: {told}"))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # whatever one video provokes, the others go on
        sender.send(Failure(f"{type(error).__name__}: {error}"))


def _receive(connection: Connection, started: _Running) -> Any:
    try:
        return connection.recv()
    except EOFError:
        started.process.join()
        lines = started.noise.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing was told")
        return Failure(f"its process died with status {started.process.exitcode} ({last[:200]}): try another video")


def _finish(connection: Connection, started: _Running) -> None:
    started.process.join()
    connection.close()
    started.noise.close()
    with suppress(FileNotFoundError):  # it is there still if the process ended before it began
        os.unlink(started.noise_path)
