"""Memory and time of parsing a short and a long video, each in a process of its own.

    python benchmarks/pipeline_long.py SYSTEM WORK_DIR VIDEO --step 5 [--runtime exact]

Prints JSON: frames parsed, seconds, processor seconds, and the highest memory while the video was parsed, without the
start. Networks are of quick size: what may grow with a video is what is kept of its frames, not the networks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import MB, REPOSITORY, run_measured, sampled_peak

WITHIN = 1.05
"""Memory and time of a frame in the long video, to those in the short one."""


def parse(system: Path, work_dir: Path, video: Path, *, step: int, runtime: str) -> dict[str, Any]:
    """Parse a video and tell what it took."""
    from tpsparse.apis import build_parser
    from tpsparse.datasets.video import Video

    parser, _ = build_parser(system, work_dir=work_dir, frame_step=step, runtime=runtime)
    opened = Video(video)
    start, processor = time.perf_counter(), time.process_time()
    with sampled_peak(os.getpid(), interval=0.05) as peak:
        record = parser.parse_video(opened, keep_features=False)
    return dict(
        seconds=time.perf_counter() - start,
        processor=time.process_time() - processor,
        frames=len(record.frames),
        video_seconds=opened.num_frames / opened.fps,
        peak_bytes=peak.bytes,
    )


def measured(system: Path, work_dir: Path, video: Path, *, step: int, runtime: str) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [
        sys.executable,
        str(REPOSITORY / "benchmarks" / "pipeline_long.py"),
        str(system),
        str(work_dir),
        str(video),
    ]
    run = run_measured([*command, "--step", str(step), "--runtime", runtime])
    return json.loads(run.output.splitlines()[-1])


def rows_of(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a video."""
    return [
        {
            "video, s": each["video_seconds"],
            "frames parsed": each["frames"],
            "peak MB": each["peak_bytes"] / MB,
            "ms a frame": 1000 * each["seconds"] / each["frames"],
            "processor ms a frame": 1000 * each["processor"] / each["frames"],
        }
        for each in found
    ]


def goals(short: Mapping[str, Any], long: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Whether memory and time stay what they are; time by the processor's, for the two videos do not take turns."""
    told = f"{short['video_seconds']:.0f} s against {long['video_seconds']:.0f} s of video"
    memory = long["peak_bytes"] / short["peak_bytes"]
    time_ratio = (long["processor"] / long["frames"]) / (short["processor"] / short["frames"])
    return [
        _goal(f"peak memory, {told}: within 5 %", memory, 1 / WITHIN <= memory <= WITHIN),
        _goal(f"time of a frame, {told}: no longer", time_ratio, time_ratio <= WITHIN),
    ]


def _goal(goal: str, ratio: float, met: bool) -> dict[str, Any]:
    return {"goal": goal, "measured": f"{ratio:.3f} times", "met": "yes" if met else "no"}


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("system", "work_dir", "video"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--step", type=int, required=True, help="every how many frames are parsed")
    parser.add_argument("--runtime", default="exact", help="a preset")
    args = parser.parse_args(argv)
    print(json.dumps(parse(args.system, args.work_dir, args.video, step=args.step, runtime=args.runtime)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
