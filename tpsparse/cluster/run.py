"""A collection parsed by a pool of workers: every video once, whatever dies on the way."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..datasets.layout import is_text
from ..errors import InputError
from ..structures.files import write_json, writing_told
from .account import Account, Fate, printable
from .folder import SUMMARY, Folder, Identity, Item, metadata_of, read_json, read_record
from .journal import MOST_DEATHS, Journal
from .listing import Collection
from .pool import Died, Event, Pool
from .work import Choices, Outcome, Ready, Refused, System

REFRESH_SECONDS, REFRESH_SHARE = 60.0, 0.05
"""The summary is written anew every so often, and takes no more than this share of the time."""
TICK_SECONDS = 1.0
MOST_TOLD = 20
"""Failures that are told while the run goes on; all are in the summary."""
SILENT_SECONDS = 60.0
"""After which is told that no worker has begun: the cluster may have no room for one, now or ever."""
MOST_FALSE_STARTS = 3
"""Workers that may die in a row while they load their networks."""


@dataclass
class Task:
    """What a worker has now.

    Args:
        item: The video; None while networks are loaded.
        identity: Of the video's file.
        since: When it was begun.
        overdue: Whether it has been stopped for taking too long.
    """

    item: Item | None
    identity: Identity | None
    since: float
    overdue: bool = False


@dataclass(frozen=True)
class Rules:
    """How a collection is parsed.

    Args:
        choices: What is kept of a video.
        retry_failed: Try again what has failed or was set aside in an earlier run.
        time_limit: Seconds after which a worker is ended that has not done its video; None to wait for ever.
        progress: Show a bar.
    """

    choices: Choices = Choices()
    retry_failed: bool = False
    time_limit: float | None = None
    progress: bool = True


def parse_collection(
    collection: Collection,
    out: str | Path,
    make: Callable[[], System],
    *,
    address: str | None = None,
    workers: int | None = None,
    rules: Rules = Rules(),
    about: dict[str, Any] | None = None,
) -> Account:
    """Parse all videos of a collection on Ray; those that are finished in ``out`` are skipped.

    Args:
        collection: The videos.
        out: Where the records, the failures and ``summary.json`` are written; :mod:`.folder` says where in it.
        make: Gives the system that parses; workers import the module it is of and call it.
        address: Of a Ray cluster; a Ray of this machine alone if not given.
        workers: How many; one a GPU or core if not given.
        rules: How.
        about: What the summary and ``made_by.json`` say of the system.

    Returns:
        What has come of every video.

    Raises:
        InputError: If the list names no video, another run has the folder, it holds records of another system, Ray
            cannot be had, workers cannot start, or there is no room to write. What is done by then stays.
    """
    from .ray_pool import RayPool

    folder = Folder(out)
    with folder.claimed():
        if not len(collection):
            raise InputError(f"{collection.source} names no video: write a path a line")
        pool = RayPool(make, str(folder.root), rules.choices, address=address, workers=workers)
        try:
            return Run(collection, folder, pool, rules=rules, about=about).run()
        finally:
            pool.stop()


class Run:
    """One run over a collection, by a driver that holds the folder.

    Args:
        collection: The videos.
        folder: Where results go.
        pool: Who parses.
        rules: How.
        about: What the summary and ``made_by.json`` say of the system.
    """

    def __init__(
        self,
        collection: Collection,
        folder: Folder,
        pool: Pool,
        *,
        rules: Rules = Rules(),
        about: dict[str, Any] | None = None,
    ) -> None:
        self.collection, self.folder, self.pool, self.rules = collection, folder, pool, rules
        self.about = about or {}
        self.journal = Journal(folder)
        self.account = Account(len(collection), dict(list=printable(collection.source), pool=pool.about()))
        self.fingerprint: str | None = None
        self._lines = iter(collection)
        self._seen: set[int] = set()
        self._later: deque[tuple[Item, Identity]] = deque()
        self._tasks: dict[int, Task] = {}
        self._idle: list[int] = []
        self._met = 0
        self._exhausted = False
        self._workers: dict[int, Ready] = {}
        self._false_starts = 0
        self._told_silence = False
        self._written = self._writing = 0.0

    def run(self) -> Account:
        """Go through the list; the summary is written however this ends.

        Raises:
            InputError: See :func:`parse_collection`.
        """
        finished = False
        bar = tqdm(total=self.account.inputs, desc="parse", unit="video", disable=not self.rules.progress)
        with bar as self._bar:
            try:
                for worker in range(self.pool.workers):
                    self._start(worker)
                while not self._is_done():
                    for worker, event in self.pool.wait(TICK_SECONDS):
                        self._take(worker, event)
                    self._give()
                    self._end_overdue()
                    self._tell_silence()
                    self._refresh()
                self._write_summary(finished=True)
                finished = True
            finally:
                if not finished:
                    with suppress(InputError):  # there may be no room, of which is told already
                        self._write_summary(finished=False)
        return self.account

    def _is_done(self) -> bool:
        """Whether all is done; workers that a busy cluster has not begun to start are not waited for."""
        return self._exhausted and not self._later and not any(task.item for task in self._tasks.values())

    def _tell_silence(self) -> None:
        """Tell once that no worker has begun."""
        if self._told_silence or self._workers or self.account.age < SILENT_SECONDS:
            return
        self._told_silence = True
        asked = ", ".join(f"{name} {value}" for name, value in self.pool.about().items())
        told = f"no worker has begun after {SILENT_SECONDS:g} s ({asked})"
        tqdm.write(f"{told}: see with ray status whether a machine has that much free", file=sys.stderr)

    def _start(self, worker: int) -> None:
        self._tasks[worker] = Task(None, None, time.monotonic())
        self.pool.start(worker)

    def _take(self, worker: int, event: Event) -> None:
        """What has come of what a worker had."""
        task = self._tasks.pop(worker)
        if isinstance(event, Refused):
            raise InputError(event.error)
        if isinstance(event, Died):
            self._take_death(worker, task, event)
        elif isinstance(event, Ready):
            self._take_ready(worker, event)
        else:
            assert task.item is not None and task.identity is not None
            self._take_outcome(task.item, task.identity, event)
            if task.overdue:  # done in the moment in which it was stopped
                self._start(worker)
            else:
                self._idle.append(worker)

    def _take_ready(self, worker: int, ready: Ready) -> None:
        if self.fingerprint is None:
            made_by = dict(fingerprint=ready.fingerprint, features=self.rules.choices.features, **self.about)
            self.folder.check_maker(made_by)
            self.fingerprint = ready.fingerprint
            self.account.about.update(system=made_by, versions=ready.versions)
        elif ready.fingerprint != self.fingerprint:
            told = f"{ready.host} has another system than the machines before it"
            raise InputError(f"{told}: give all machines the same weights, configs and version")
        self._false_starts = 0
        self._workers[worker] = ready
        self._idle.append(worker)

    def _take_outcome(self, item: Item, identity: Identity, outcome: Outcome) -> None:
        self.account.busy += outcome.seconds
        if outcome.error is None:
            self.account.parsed(outcome.frames, outcome.size)
            self.account.new.update(parsed=1, frames=outcome.frames)
        else:
            self._fail(item, identity, Fate.FAILED, outcome.error, trace=outcome.trace)
        self.journal.end(item)
        self._bar.update()

    def _take_death(self, worker: int, task: Task, died: Died) -> None:
        self.account.new["deaths"] += 1
        if task.item is None:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                told = f"workers die while they load their networks ({died.error})"
                raise InputError(f"{told}: give fewer --workers, or try tools/parse_video.py with one video")
        else:
            assert task.identity is not None
            error = f"was not done in {self.rules.time_limit:g} s" if task.overdue else died.error
            self._take_loss(task.item, task.identity, error, died.with_machine)
        self._start(worker)

    def _take_loss(self, item: Item, identity: Identity, error: str, with_machine: bool) -> None:
        """A video that has lost its worker comes again when all others are done, or is set aside."""
        if not self.journal.died(item, error, with_machine=with_machine):
            self._later.append((item, identity))
            tqdm.write(
                f"a worker died on {printable(item.path)} ({error}): it comes again after all others", file=sys.stderr
            )
            return
        deaths = self.journal.deaths(item)
        times = "twice" if len(deaths) == MOST_DEATHS else f"{len(deaths)} times"
        told = f"{item.path} has killed its worker {times} ({error}): encode it again or leave it out"
        self._fail(item, identity, Fate.SET_ASIDE, told, deaths=deaths)
        self.journal.end(item)
        self._bar.update()

    def _fail(self, item: Item, identity: Identity | None, fate: Fate, error: str, **more: Any) -> None:
        """Count a video that has no record; a missing file leaves no note, since it is looked for each time."""
        if identity is not None:
            path = self.folder.failure(item.key)
            content = dict(video=printable(item.path), kind=fate.value, error=printable(error), **identity._asdict())
            with writing_told(path):
                write_json(path, {**content, **{name: value for name, value in more.items() if value is not None}})
        self._count_failure(item, fate, error)

    def _count_failure(self, item: Item, fate: Fate, error: str) -> None:
        self.account.failed(item, fate, error)
        told = self.account.unparsed
        if told <= MOST_TOLD:
            tqdm.write(f"error: {printable(error)} (skipped)", file=sys.stderr)
        if told == MOST_TOLD:
            tqdm.write(f"further ones are listed in {self.folder.root / SUMMARY} alone", file=sys.stderr)

    def _give(self) -> None:
        """Give each idle worker a video while there are any."""
        while self._idle:
            chosen = self._next()
            if chosen is None:
                return
            item, identity = chosen
            worker = self._idle.pop()
            self.folder.clear_stale(item, self._expected(item, identity))
            ready = self._workers[worker]
            self.journal.begin(item, dict(host=ready.host, pid=ready.pid))
            self._tasks[worker] = Task(item, identity, time.monotonic())
            self.pool.submit(worker, item, identity)

    def _next(self) -> tuple[Item, Identity] | None:
        """The next video that is to be parsed: of the list, then of those put off; None where there is none now."""
        for line, path in self._lines:
            self._count_line()
            item = Item(line, path)
            number = int(item.digest, 16)
            if number in self._seen:
                self.account.duplicate()
                self._bar.update()
                continue
            self._seen.add(number)
            identity = self._wanted(item)
            if identity is None:
                self._bar.update()
            elif self.journal.suspects(item):
                self._later.append((item, identity))
            else:
                return item, identity
            self._refresh()
        self._exhausted = True
        self.account.inputs = self._bar.total = self._met
        return self._later.popleft() if self._later else None

    def _count_line(self) -> None:
        """A list may grow or shrink after it was counted; what counts in the end is what was gone through."""
        self._met += 1
        if self._met > self.account.inputs:
            self.account.inputs = self._bar.total = self._met

    def _wanted(self, item: Item) -> Identity | None:
        """The file's identity if it is to be parsed; None where it is known what has come of it, which is counted."""
        if not is_text(item.path):
            told = f"{printable(item.path)} has a name that is not UTF-8: rename it"
            self._count_failure(item, Fate.FAILED, told)
            return None
        if "\0" in item.path:
            told = f"{printable(item.path)} has a zero byte, which no file's name has: write a path a line, in UTF-8"
            self._count_failure(item, Fate.FAILED, told)
            return None
        try:
            identity = item.identity()
        except OSError as error:
            self._count_failure(item, Fate.FAILED, f"{item.path} cannot be looked at ({error.strerror}): check it")
            return None
        if identity is None:
            self._count_failure(item, Fate.MISSING, f"{item.path} is missing: check the path")
            return None
        if self._is_finished(item, identity) or self._has_failed(item, identity):
            if self.journal.suspects(item):
                self.journal.end(item)
            return None
        return identity

    def _is_finished(self, item: Item, identity: Identity) -> bool:
        if self.rules.choices.export and not self.folder.export(item.key).exists():
            return False
        record = read_record(self.folder.result(item.key), self._expected(item, identity))
        if record is not None:
            self.account.parsed(*record)
        return record is not None

    def _has_failed(self, item: Item, identity: Identity) -> bool:
        """Whether it has failed before and is the same file; what is another chance begins without old deaths."""
        found = read_json(self.folder.failure(item.key))
        if not found:
            return False
        same = (found.get("size"), found.get("mtime_ns")) == tuple(identity)
        if self.rules.retry_failed or not same:
            self.journal.forget(item)
            return False
        self.account.new["failed_before"] += 1
        self._count_failure(item, Fate(found.get("kind", Fate.FAILED)), str(found.get("error")))
        return True

    def _expected(self, item: Item, identity: Identity) -> dict[str, str]:
        assert self.fingerprint is not None
        return metadata_of(item, identity, self.fingerprint)

    def _end_overdue(self) -> None:
        limit = self.rules.time_limit
        for worker, task in self._tasks.items():
            over = limit is not None and task.item is not None and time.monotonic() - task.since > limit
            if over and not task.overdue:
                task.overdue = True
                self.pool.kill(worker)

    def _refresh(self) -> None:
        """Write the summary if it is time; a long list of failures is written less often."""
        age = time.monotonic() - self._written
        if self.fingerprint is not None and age > max(REFRESH_SECONDS, self._writing / REFRESH_SHARE):
            self._write_summary(finished=False)

    def _write_summary(self, *, finished: bool) -> None:
        if self.fingerprint is None:
            return  # refused before anything was done: what another run has written stays
        begun = time.monotonic()
        self.account.write(self.folder.root / SUMMARY, finished=finished)
        self._written = time.monotonic()
        self._writing = self._written - begun
