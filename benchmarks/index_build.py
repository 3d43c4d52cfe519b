"""How fast the index of a data set is built, and in how much memory.

    python benchmarks/index_build.py [--quick] [--rounds 3] [--json FILE]

On a generated tree of 57,000 frame files (``tree.py``) and on one of twice the size: `prepare_data.py index --workers
2` from nothing, again with nothing changed, with 1 % of the videos changed, and with 1 % of the files changed all over
the tree. The peer, in turns with it, is what loaders without an index do at every start: ``json.load`` of every file
into Python objects, in one process. Files are in the page cache for both. Every build is checked to have found all
rows. The project's limits: 5,000 files a second on two cores, 1.5 GB.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import MB, REPOSITORY, Run, in_turns, median_ratio, parser, report, run_measured
from tree import FRAMES, VIDEOS, make_tree

from tpsparse.cli import DONE, run
from tpsparse.datasets.layout import annotations_folder

WORKERS = 2
LIMIT_FILES, LIMIT_BYTES = 5_000, 1.5e9
QUICK = (4, 80)  # videos, frames
BUILT, NAIVE, TWICE, TWICE_NAIVE = "index", "json.load", "index, tree doubled", "json.load, tree doubled"
SAME, FEW, SPREAD = "nothing changed", "1 % of the videos changed", "1 % of the files changed, all over"
NAIVE_CODE = """
import json, pathlib, sys
frames = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*/*/*.json")):
    with path.open(encoding="utf-8") as file:
        frames.append(json.load(file))
print(len(frames))
"""


def build(root: Path, *, prepare: Callable[[Path], None] | None = None) -> Run:
    """Run the tool on a tree.

    Args:
        root: The tree.
        prepare: What is done to it before, outside the measured time.

    Raises:
        RuntimeError: If the index lacks rows.
    """
    if prepare is not None:
        prepare(root)
    tool = REPOSITORY / "tools" / "prepare_data.py"
    done = run_measured([sys.executable, str(tool), "index", str(root), "--workers", str(WORKERS)])
    expected = json.loads((root / "tree.json").read_text())["counts"]
    for name, number in expected.items():
        if f"{number:,} {name}" not in done.output:
            raise RuntimeError(f"{root}: the index does not have {number:,} {name}: {done.output}")
    return done


def load_naively(root: Path) -> Run:
    """Read every file into Python objects, in a process of its own."""
    return run_measured([sys.executable, "-c", NAIVE_CODE, str(annotations_folder(root, "train"))])


def forget(root: Path) -> None:
    """Remove the index."""
    shutil.rmtree(root / "index", ignore_errors=True)


def change_videos(root: Path, share: float = 0.01) -> None:
    """Write every file of some videos again."""
    videos = sorted(annotations_folder(root, "train").glob("*/*"))
    for folder in _spaced(videos, share):
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes())


def change_files(root: Path, share: float = 0.01) -> None:
    """Write files all over the tree again."""
    for path in _spaced(sorted(annotations_folder(root, "train").glob("*/*/*.json")), share):
        path.write_bytes(path.read_bytes())


def _spaced(paths: Sequence[Path], share: float) -> list[Path]:
    count = max(1, round(len(paths) * share))
    return [paths[i] for i in np.linspace(0, len(paths) - 1, count).astype(int)]


def measure(root: Path, doubled: Path, rounds: int) -> dict[str, list[Run]]:
    """Every peer in turns, then the later runs of one index in their order; name to runs."""
    peers: Mapping[str, Callable[[], Run]] = {
        BUILT: partial(build, root, prepare=forget),
        NAIVE: partial(load_naively, root),
        TWICE: partial(build, doubled, prepare=forget),
        TWICE_NAIVE: partial(load_naively, doubled),
    }
    runs = in_turns(peers, rounds)
    later = {SAME: None, FEW: change_videos, SPREAD: change_files}
    runs.update(in_turns({name: partial(build, root, prepare=change) for name, change in later.items()}, rounds))
    return runs


def rows_of(runs: Mapping[str, Sequence[Run]], frames: int) -> list[dict[str, Any]]:
    """One row a peer: files a second by the clock and by processor time, peak memory, ratio to the naive road."""
    rows = []
    for name, done in runs.items():
        files = 2 * frames if "doubled" in name else frames
        naive_runs = runs[TWICE_NAIVE if "doubled" in name else NAIVE]
        rows.append(
            {
                "run": name,
                "files": files,
                "seconds": statistics.median(one.seconds for one in done),
                "files/s": files / statistics.median(one.seconds for one in done),
                "files/s, best round": files / min(one.seconds for one in done),
                "files per processor second": files / statistics.median(one.cpu_seconds for one in done),
                "peak MB": max(one.peak_bytes for one in done) / MB,
                "speed / json.load": median_ratio([one.seconds for one in naive_runs], [one.seconds for one in done]),
            }
        )
    return rows


def limits_of(runs: Mapping[str, Sequence[Run]], frames: int) -> list[dict[str, Any]]:
    """What the project promises beside what was measured."""
    speed = frames / statistics.median(one.seconds for one in runs[BUILT])
    free = WORKERS * frames / statistics.median(one.cpu_seconds for one in runs[BUILT])
    limit = {"limit": f"at least {LIMIT_FILES:,}"}
    peak = max(one.peak_bytes for name in (BUILT, TWICE) for one in runs[name])
    clock = median_ratio([one.seconds for one in runs[TWICE]], [one.seconds for one in runs[BUILT]])
    processor = median_ratio([one.cpu_seconds for one in runs[TWICE]], [one.cpu_seconds for one in runs[BUILT]])
    return [
        {"promise": f"files/s with {WORKERS} workers", **limit, "measured": speed},
        {
            "promise": f"files/s were {WORKERS} cores free: {WORKERS} x those of a processor second",
            **limit,
            "measured": free,
        },
        {"promise": "peak of the process tree, MB", "limit": f"under {LIMIT_BYTES / MB:,.0f}", "measured": peak / MB},
        {"promise": "time, tree doubled / tree", "limit": "about 2", "measured": clock},
        {"promise": "processor time, tree doubled / tree", "limit": "about 2", "measured": processor},
    ]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parser(__doc__).parse_args(argv)
    videos, frames = QUICK if args.quick else (VIDEOS, FRAMES)
    root, doubled = (args.data / f"tree_{times * frames}" for times in (1, 2))
    workers = 1 if args.quick else WORKERS
    for times, folder in ((1, root), (2, doubled)):
        make_tree(folder, videos=times * videos, frames=times * frames, workers=workers, progress=not args.quick)
    for folder in (root, doubled):
        load_naively(folder)  # brings the files into the page cache
    runs = measure(root, doubled, 1 if args.quick else args.rounds)
    tables = {"Runs": rows_of(runs, frames), "Limits": limits_of(runs, frames)}
    rounds = {name: [dict(vars(one), output=_last_line(one.output)) for one in done] for name, done in runs.items()}
    report("index_build", tables, file=args.json, runs=rounds)
    return DONE


def _last_line(text: str) -> str:
    return re.split(r"\n", text.strip())[-1]


if __name__ == "__main__":
    sys.exit(run(main))
