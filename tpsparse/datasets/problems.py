"""What was found wrong with the input, told once and counted at the end."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One unusable item: what was skipped (``video``, ``frame``, ``person`` or ``part``), its file, and why."""

    skipped: str
    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} (skipped: {self.skipped})"


class ProblemLog:
    """Problems in the order they were met; each is kept once.

    Args:
        problems: Those known already.
        shared: Whether processes that are forked later, as a data loader's workers are, add to this log too. They
            append to a temporary file, which is removed with the log.
    """

    def __init__(self, problems: Iterable[Problem] = (), *, shared: bool = False) -> None:
        self._problems: dict[Problem, None] = dict.fromkeys(problems)
        self._inbox: Path | None = None
        self._read = 0
        if shared:
            # Made at the first problem, so that a process that is killed seldom leaves one.
            self._inbox = Path(tempfile.gettempdir()) / f"tpsparse-problems-{uuid.uuid4().hex}"
            weakref.finalize(self, _remove, self._inbox, os.getpid())

    def __len__(self) -> int:
        self._receive()
        return len(self._problems)

    def __iter__(self) -> Iterator[Problem]:
        self._receive()
        return iter(self._problems)

    def add(self, skipped: str, path: Path, message: str) -> bool:
        """Keep a problem; whether it is new."""
        self._receive()
        problem = Problem(skipped, path, message)
        if problem in self._problems:
            return False
        self._problems[problem] = None
        if self._inbox is not None:
            line = json.dumps([str(value) for value in astuple(problem)])
            with self._inbox.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        return True

    def update(self, problems: Iterable[Problem]) -> None:
        """Keep those of another log, such as that of another process."""
        self._problems.update(dict.fromkeys(problems))

    def report(self, title: str) -> None:
        """Log every problem on a line of its own, and the counts; nothing where there is none."""
        if not len(self):
            return
        from mmengine.logging import print_log  # brings torch, which tools that only read files do without

        for problem in self:
            print_log(str(problem), logger="current", level=30)
        counts = Counter(problem.skipped for problem in self)
        told = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items())
        print_log(f"{title}: skipped {told}, listed above", logger="current", level=30)

    def _receive(self) -> None:
        """Take in what other processes have added; a line that is still being written is left for the next time."""
        if self._inbox is None or not self._inbox.is_file():
            return
        with self._inbox.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        if whole:
            self._read += len(whole) + 1
            for skipped, path, message in map(json.loads, whole.split(b"\n")):
                self._problems[Problem(skipped, Path(path), message)] = None


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a worker that ends must not take the file with it
        path.unlink(missing_ok=True)
