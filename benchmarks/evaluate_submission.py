"""Scoring a submission of the size of the test set: ``tools/evaluate.py`` beside the released script, by turns.

    python benchmarks/evaluate_submission.py [--quick] [--rounds 3] [--script eval_detection.py] [--json FILE]

932 videos with 28,892 evaluated frames, 71,000 annotated persons and a million predicted parts
(``submission_content.py``). Each side is a process of its own, from its start over reading the JSON files to the
printed score, and each scores one pair of thresholds. The peer is the released script written anew
(``released_score.py``), or that script itself with ``--script``. ``tools/evaluate.py`` also looks for everything that
is wrong with the submission, which the script does not; the second table says what of its time goes where. Goal: faster
than the script, by the clock, with the same score to 1e-9, and so with every video.
"""

from __future__ import annotations

import cProfile
import importlib.util
import json
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from measure import MB, REPOSITORY, Run, in_turns, median_ratio, parser, read_json, report, run_measured
from submission_content import VIDEOS, make_submission

from tpsparse.cli import DONE, run

OURS, PEER = "tools/evaluate.py", "the released script"
TOOL = REPOSITORY / "tools" / "evaluate.py"
TOLERANCE = 1e-9
STEPS = ("read_json", "check_ground_truth", "validate_submission", "evaluate", "show", "write_report")
REST = "the rest"
SHOWN = 12  # functions of the profile


def scored_by_tool(folder: Path) -> tuple[Run, dict[str, Any]]:
    """A run of ``tools/evaluate.py``, and its report."""
    file = folder.with_name(f"{folder.name}_report.json")
    measured = run_measured(
        [sys.executable, str(TOOL), "--gt", str(folder), "--pred", str(folder), "--json", str(file)]
    )
    return measured, read_json(file)


def scored_by_script(folder: Path, script: Path | None) -> tuple[Run, dict[str, Any]]:
    """A run of the peer, and what it prints."""
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "released_score.py"), str(folder), str(folder)]
    measured = run_measured([*command, *(["--script", str(script)] if script else [])])
    return measured, json.loads(measured.output.splitlines()[-1])


def largest_difference(report: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Of the score and of any video's PSC.

    Raises:
        RuntimeError: If the videos differ, or an action is right here and wrong there.
    """
    if report["psc"].keys() != other["psc"].keys() or report["action_correct"] != other["action_correct"]:
        raise RuntimeError(f"{OURS} and {PEER} do not agree on the videos or on whose action is right")
    psc = [abs(value - other["psc"][video]) for video, value in report["psc"].items()]
    return max(abs(report["score"] - other["score"]), *psc)


def compared(results: Mapping[str, Sequence[tuple[Run, dict[str, Any]]]]) -> list[dict[str, Any]]:
    """A row a side.

    Raises:
        RuntimeError: If a round's scores differ by more than 1e-9.
    """
    difference = max(largest_difference(a, b) for (_, a), (_, b) in zip(results[OURS], results[PEER]))
    if difference > TOLERANCE:
        raise RuntimeError(f"{OURS} and {PEER} differ by {difference}")
    peer = [measured.seconds for measured, _ in results[PEER]]
    return [
        {
            "scored by": name,
            "seconds": statistics.median(measured.seconds for measured, _ in rounds),
            "processor": statistics.median(measured.cpu_seconds for measured, _ in rounds),
            "peak MB": statistics.median(measured.peak_bytes for measured, _ in rounds) / MB,
            "speed / the script": median_ratio(peer, [measured.seconds for measured, _ in rounds]),
            "score": f"{rounds[0][1]['score']:.10f}",
        }
        for name, rounds in results.items()
    ]


def load_tool() -> ModuleType:
    """``tools/evaluate.py`` as a module."""
    spec = importlib.util.spec_from_file_location("evaluate_tool", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def times_of_steps(folder: Path) -> list[dict[str, Any]]:
    """Seconds that each step of the tool takes in this process, in which everything is imported already."""
    tool, spent = load_tool(), dict.fromkeys(STEPS, 0.0)
    for name in STEPS:
        setattr(tool, name, partial(_timed, spent, name, getattr(tool, name)))
    start = time.perf_counter()
    _score(tool, folder)
    spent[REST] = time.perf_counter() - start - sum(spent.values())
    whole = sum(spent.values())
    return [{"step": name, "seconds": value, "share": value / whole} for name, value in spent.items()]


def profile(folder: Path, file: Path) -> list[dict[str, Any]]:
    """The functions in which most time is spent, with the profiler's own cost; everything is kept in ``file``."""
    profiler = cProfile.Profile()
    profiler.runcall(_score, load_tool(), folder)
    profiler.dump_stats(file)
    entries = pstats.Stats(str(file)).stats.items()  # type: ignore[attr-defined]
    rows = [(own, calls, f"{Path(place[0]).name}:{place[2]}") for place, (_, calls, own, _, _) in entries]
    return [
        {"function": name, "calls": calls, "own seconds": own}
        for own, calls, name in sorted(rows, reverse=True)[:SHOWN]
    ]


def _score(tool: ModuleType, folder: Path) -> None:
    file = folder.with_name(f"{folder.name}_report.json")
    with redirect_stdout(StringIO()):
        tool.main(["--gt", str(folder), "--pred", str(folder), "--json", str(file)])


def _timed(spent: dict[str, float], name: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    start = time.perf_counter()
    try:
        return work(*args, **kwargs)
    finally:
        spent[name] += time.perf_counter() - start


def goal(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the table is to show, and whether it does."""
    speed = next(row["speed / the script"] for row in rows if row["scored by"] == OURS)
    wanted = f"faster than {PEER}, score equal to {TOLERANCE:g}"
    return [{"goal": wanted, "measured": f"{speed:.2f} times", "met": "yes" if speed > 1 else "no"}]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    options.add_argument("--script", type=Path, metavar="FILE", help="a downloaded eval_detection.py as the peer")
    options.add_argument("--videos", type=int, help=f"of the submission (default: {VIDEOS})")
    args = options.parse_args(argv)
    videos = args.videos or (8 if args.quick else VIDEOS)
    folder = args.data / f"submission_{videos}"
    made = make_submission(folder, videos=videos)
    peers = {OURS: partial(scored_by_tool, folder), PEER: partial(scored_by_script, folder, args.script)}
    results = in_turns(peers, 1 if args.quick else args.rounds)
    rows = compared(results)
    tables = {
        f"Scoring a submission of {videos} videos": rows,
        "Goal": goal(rows),
        f"Where the time of {OURS} goes": times_of_steps(folder),
        "The same by functions, with a profiler": profile(folder, args.data / f"submission_{videos}.prof"),
    }
    rounds = {name: [vars(measured) | {"output": ""} for measured, _ in done] for name, done in results.items()}
    report("evaluate_submission", tables, file=args.json, submission=made, rounds=rounds)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
