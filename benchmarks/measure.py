"""What the benchmarks share: peers measured in turns, memory of process trees, facts of the machine, result tables.

A number means little alone: the machine may be busy. So peers take turns within a run, a ratio is the median of the
ratios of the rounds, and processor time stands beside the clock's. Memory is read from Linux's ``/proc``:
PSS shares a page among the processes that map it, USS counts what one process alone holds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tpsparse.cli import positive
from tpsparse.structures.files import write_json

MB = 1e6
REPOSITORY = Path(__file__).resolve().parents[1]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """A finished process tree.

    Args:
        seconds: By the clock.
        cpu_seconds: Processor time of all its processes.
        peak_bytes: Highest sampled sum of the PSS of its processes.
        output: What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def in_turns(peers: Mapping[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """Call every peer once a round, each round beginning with the next peer; name to its results in order."""
    names = list(peers)
    results: dict[str, list[Result]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(peers[name]())
    return results


def median_ratio(values: Sequence[float], peer: Sequence[float]) -> float:
    """The median of the rounds' ratios of ``values`` to ``peer``.

    Raises:
        ValueError: If there is no round, or one of the two lacks a round.
    """
    if not values or len(values) != len(peer):
        raise ValueError(f"{len(values)} rounds cannot be compared with {len(peer)}")
    return statistics.median(value / other for value, other in zip(values, peer))


def run_measured(command: Sequence[str], *, interval: float = 0.1) -> Run:
    """Run a command to its end and sample the memory of it and its descendants.

    Args:
        command: Program and arguments.
        interval: Seconds between samples; a peak shorter than that may be missed.

    Raises:
        RuntimeError: If its exit status is not 0; the message ends with what it wrote to stderr.
    """
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    with sampled_peak(process.pid, interval=interval) as peak:
        output, errors = process.communicate()
    seconds, after = time.perf_counter() - start, os.times()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}: {errors[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu, peak.bytes, output)


@dataclass
class Peak:
    """The highest memory seen so far, in bytes."""

    bytes: int = 0


@contextmanager
def sampled_peak(pid: int, *, interval: float = 0.1) -> Iterator[Peak]:
    """Watch the memory of a process and its descendants while the block runs."""
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        pause = 0.01  # a short process is looked at more than once
        while True:
            peak.bytes = max(peak.bytes, tree_pss(pid))
            if done.wait(pause):
                return
            pause = min(2 * pause, interval)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def tree_pss(pid: int) -> int:
    """Bytes of a process and its descendants, a shared page counted in shares; 0 when they have ended."""
    total, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        total += _rollup(process, ("Pss:",))
        waiting.extend(_children(process))
    return total


def private_bytes(pid: int | str = "self") -> int:
    """Bytes that only this process holds (USS); 0 when it has ended."""
    return _rollup(pid, ("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:"))


def _rollup(pid: int | str, fields: tuple[str, ...]) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, or is about to
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def environment() -> dict[str, str]:
    """Of a measured process: this checkout, one thread in each numerical library."""
    paths = [str(REPOSITORY), str(REPOSITORY / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    fixed = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return {**os.environ, **fixed}


def machine() -> dict[str, Any]:
    """The facts of the machine that a reader needs beside a number."""
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "load": [round(value, 1) for value in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys as a Markdown table; numbers stand on the right."""
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    numeric = [all(isinstance(row[name], (int, float)) for row in rows) for name in names]
    widths = [max(3, len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    rule = [("-" * (width - 1) + ":") if right else "-" * width for width, right in zip(widths, numeric)]
    body = [[f"{c:>{w}}" if right else f"{c:<{w}}" for c, w, right in zip(line, widths, numeric)] for line in cells]
    head = [f"{name:<{width}}" for name, width in zip(names, widths)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *body))


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Options of every benchmark."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a run of seconds that shows that everything works")
    options.add_argument("--json", type=Path, metavar="FILE", help="also write every number there")
    data = REPOSITORY / "work_dirs" / "benchmarks"
    options.add_argument("--data", type=Path, default=data, metavar="DIR", help="where generated data are kept")
    options.add_argument("--rounds", type=positive, default=3, help="how often the peers take their turns")
    return options


def report(name: str, tables: Mapping[str, Sequence[Mapping[str, Any]]], *, file: Path | None, **more: Any) -> None:
    """Print tables under their titles, and write them with the machine's facts where ``file`` says.

    Args:
        name: Of the benchmark.
        tables: Title to rows.
        file: JSON to write; None for none.
        more: What else goes into the file, such as every round's numbers.
    """
    facts = machine()
    print(f"{name}: {facts['cores']} cores of {facts['processor']}, load {facts['load'][0]}, Python {facts['python']}")
    for title, rows in tables.items():
        print(f"\n{title}\n\n{table(rows)}")
    sys.stdout.flush()
    if file is not None:
        write_json(file, {"benchmark": name, "machine": facts, "tables": tables, **more})


def read_json(path: Path) -> Any:
    """What :func:`report` or a measured process wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
