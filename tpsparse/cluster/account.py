"""What has come of every line of a list."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from ..structures.files import write_json, writing_told
from .folder import Item

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Fate(str, Enum):
    """What a line of a list comes to."""

    PARSED = "parsed"
    FAILED = "failed"
    SET_ASIDE = "set_aside"
    MISSING = "missing"
    DUPLICATE = "duplicates"


@dataclass
class Account:
    """Counts over a list, and what this run has added to them.

    Args:
        inputs: Videos that the list names, each as often as it is named.
        about: What the summary says besides: the list, the system, versions.
    """

    inputs: int
    about: dict[str, Any] = field(default_factory=dict)
    fates: Counter[Fate] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    frames: int = 0
    size: int = 0
    new: Counter[str] = field(default_factory=Counter)
    busy: float = 0.0
    _start: float = field(default_factory=time.monotonic)

    def parsed(self, frames: int, size: int) -> None:
        """Count a record of so many frames and bytes, of this run or an earlier one."""
        self.fates[Fate.PARSED] += 1
        self.frames += frames
        self.size += size

    def failed(self, item: Item, fate: Fate, error: str) -> None:
        """Count a video that has no record."""
        self.fates[fate] += 1
        self.failures.append(dict(line=item.line, video=printable(item.path), kind=fate.value, error=printable(error)))

    def duplicate(self) -> None:
        """Count a line that names a video of an earlier line."""
        self.fates[Fate.DUPLICATE] += 1

    @property
    def told(self) -> int:
        """Lines of which is known what they come to."""
        return sum(self.fates.values())

    @property
    def unparsed(self) -> int:
        """Videos that have no record and will get none."""
        return len(self.failures)

    @property
    def age(self) -> float:
        """Seconds since the run has begun."""
        return time.monotonic() - self._start

    def summary(self, *, finished: bool) -> dict[str, Any]:
        """All of it; but for ``this_run`` it is the same however often the run was interrupted."""
        seconds = self.age
        counts = {fate.value: self.fates[fate] for fate in Fate}
        return dict(
            finished=finished,
            **self.about,
            inputs=self.inputs,
            **counts,
            left=self.inputs - self.told,
            frames=self.frames,
            bytes=self.size,
            this_run=dict(
                parsed=self.new["parsed"],
                frames=self.new["frames"],
                finished_before=self.fates[Fate.PARSED] - self.new["parsed"],
                failed_before=self.new["failed_before"],
                worker_deaths=self.new["deaths"],
                seconds=round(seconds, 3),
                worker_seconds=round(self.busy, 3),
                videos_per_second=_rate(self.new["parsed"], seconds),
                frames_per_second=_rate(self.new["frames"], seconds),
            ),
            failures=sorted(self.failures, key=lambda failure: failure["line"]),
        )

    def write(self, path: Path, *, finished: bool) -> None:
        """Write the summary.

        Raises:
            InputError: If there is no room to write.
        """
        with writing_told(path):
            write_json(path, self.summary(finished=finished))


def printable(text: str) -> str:
    """Text that can be written as UTF-8 and shown: a name's other bytes, and control characters, as numbers."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text.encode("utf-8", "backslashreplace").decode())


def _rate(count: int, seconds: float) -> float:
    return round(count / seconds, 4) if seconds > 0 else 0.0
