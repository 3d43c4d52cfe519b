"""What was found wrong with the input, told once and counted at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.logging import print_log


@dataclass(frozen=True)
class Problem:
    """One unusable item: what was skipped (``video``, ``frame``, ``person`` or ``part``), its file, and why."""

    skipped: str
    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} (skipped: {self.skipped})"


@dataclass
class ProblemLog:
    """Problems in the order they were met; each is kept once."""

    problems: dict[Problem, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.problems)

    def __iter__(self):
        return iter(self.problems)

    def add(self, skipped: str, path: Path, message: str) -> bool:
        """Keep a problem; whether it is new."""
        problem = Problem(skipped, path, message)
        new = problem not in self.problems
        self.problems[problem] = None
        return new

    def report(self, title: str) -> None:
        """Log every problem on a line of its own, and the counts; nothing where there is none."""
        if not self.problems:
            return
        for problem in self.problems:
            print_log(str(problem), logger="current", level=30)
        counts = Counter(problem.skipped for problem in self.problems)
        told = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items())
        print_log(f"{title}: skipped {told}, listed above", logger="current", level=30)
