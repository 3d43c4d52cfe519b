r"""Seconds of computing for a second of video, stage by stage, of several systems in one run.

    python benchmarks/stage_times.py configs/quick/systems/dap.py configs/quick/systems/pcf.py \
        --work-dir work_dirs/demo work_dirs/pcf --videos work_dirs/demo/data/test_videos [--rounds 3] [--json FILE]

Every system parses the same videos in every round, the systems in turns, each with the frames that its config asks for
and with trained weights from its work folder. What is not a stage's own time is decoding and the run around the
stages. Times are by the clock, and by processor time of this process, which a busy machine blurs least; a row is the
median of the rounds. The first system is what the others are compared with. The first video is parsed once before the
clock starts. A thread decodes ahead while stages run, so part of the decoding is in their processor time.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from measure import in_turns, median_ratio, parser, report

from tpsparse.cli import DONE, run

SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov")
REST = "decoding and the rest"
METHODS = ("parse_window", "parse_video", "clip_batches", "classify", "write")


class StageClock:
    """Measures the stages of a parser from now on.

    Args:
        system: An ``ActionParser``; its stages' methods are wrapped.
    """

    def __init__(self, system: Any) -> None:
        self.system = system
        self.names = _names(system.stages)
        self.spent = {name: [0.0, 0.0] for name in self.names}
        for name, stage in zip(self.names, system.stages):
            for method in filter(partial(hasattr, stage), METHODS):
                setattr(stage, method, partial(self._timed, name, getattr(stage, method)))

    def measure(self, videos: Sequence[Any]) -> dict[str, Any]:
        """Parse opened videos; seconds and processor seconds in all and by stage, and the seconds of video."""
        self.spent = {name: [0.0, 0.0] for name in self.names}
        start = _now()
        for video in videos:
            self.system.parse_video(video)
        whole = _as_dict(_since(start))
        stages = {name: _as_dict(spent) for name, spent in self.spent.items()}
        rest = {key: value - sum(spent[key] for spent in stages.values()) for key, value in whole.items()}
        return dict(whole, stages={**stages, REST: rest}, video_seconds=sum(map(_duration, videos)))

    def _timed(self, name: str, method: Any, *args: Any) -> Any:
        start = _now()
        result = method(*args)
        spent = self.spent[name]
        for i, value in enumerate(_since(start)):
            spent[i] += value
        return result


def _now() -> list[float]:
    """By the clock, and of the processor."""
    return [time.perf_counter(), time.process_time()]


def _since(start: Sequence[float]) -> list[float]:
    return [now - before for now, before in zip(_now(), start)]


def _as_dict(spent: Sequence[float]) -> dict[str, float]:
    return dict(zip(("seconds", "cpu_seconds"), spent))


def _names(stages: Sequence[Any]) -> list[str]:
    """Kinds of stages, with the names that some of them have, each once."""
    found: list[str] = []
    for stage in stages:
        name = " ".join(filter(None, [type(stage).__name__, getattr(stage, "name", "")]))
        found.append(name if name not in found else f"{name} ({len(found) + 1})")
    return found


def _duration(video: Any) -> float:
    from tpsparse.apis import ASSUMED_FPS

    return video.num_frames / (video.fps if video.fps > 0 else ASSUMED_FPS)


def find_videos(places: Sequence[Path]) -> list[Path]:
    """Video files, and those in folders, in order.

    Raises:
        InputError: If there is none.
    """
    from tpsparse.errors import InputError

    found = [place for place in places if place.is_file()]
    for place in places:
        found += sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"{' '.join(map(str, places))} has no video: give files or folders with --videos")
    return found


def open_system(config: Path, work_dir: Path | None, options: dict[str, Any]) -> StageClock:
    """A system with trained weights, and the frames that its config asks for."""
    from tpsparse.apis import build_parser
    from tpsparse.engine import load_config
    from tpsparse.registry import FRAME_SAMPLERS

    system, taxonomy = build_parser(config, work_dir=work_dir, options=options)
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=taxonomy)
    system.frames = FRAME_SAMPLERS.build(cfg.model.frames)
    return StageClock(system)


def system_rows(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """A row a system: what a second of video costs, and its ratio to the first."""
    [first, *_] = results
    rows = []
    for name, rounds in results.items():
        numbers = {key: [one[key] / one["video_seconds"] for one in rounds] for key in ("seconds", "cpu_seconds")}
        peer = [one["seconds"] / one["video_seconds"] for one in results[first]]
        rows.append(
            {
                "system": name,
                "seconds": statistics.median(numbers["seconds"]),
                "processor": statistics.median(numbers["cpu_seconds"]),
                f"ratio to {first}": median_ratio(numbers["seconds"], peer),
            }
        )
    return rows


def stage_rows(rounds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a stage of one system."""
    rows = []
    for stage in rounds[0]["stages"]:
        seconds, cpu = (
            statistics.median(one["stages"][stage][key] / one["video_seconds"] for one in rounds)
            for key in ("seconds", "cpu_seconds")
        )
        share = statistics.median(one["stages"][stage]["seconds"] / one["seconds"] for one in rounds)
        rows.append({"stage": stage, "seconds": seconds, "processor": cpu, "share": share})
    return rows


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    from mmengine.config import DictAction

    options = parser(__doc__)
    options.add_argument("systems", nargs="+", type=Path, metavar="SYSTEM", help="configs of trained systems")
    options.add_argument("--videos", nargs="+", type=Path, required=True, metavar="PATH", help="files or folders")
    options.add_argument("--work-dir", nargs="+", type=Path, metavar="DIR", help="one for each (default: its own)")
    options.add_argument("--cfg-options", nargs="+", action=DictAction, metavar="K=V", help="overrides, for all")
    args = options.parse_args(argv)
    from tpsparse.datasets.video import Video
    from tpsparse.errors import InputError

    folders = args.work_dir or [None] * len(args.systems)
    if len(folders) != len(args.systems):
        raise InputError(f"{len(args.systems)} systems but {len(folders)} folders: give --work-dir one for each")
    videos = [Video(path) for path in find_videos(args.videos)[: 1 if args.quick else None]]
    clocks = {}
    for config, folder in zip(args.systems, folders):
        name = config.stem if config.stem not in clocks else str(config)
        clocks[name] = open_system(config, folder, args.cfg_options or {})
    for clock in clocks.values():
        clock.measure(videos[:1])
    peers = {name: partial(clock.measure, videos) for name, clock in clocks.items()}
    results = in_turns(peers, 1 if args.quick else args.rounds)
    tables = {"Seconds of computing for a second of video": system_rows(results)}
    tables.update({name: stage_rows(rounds) for name, rounds in results.items()})
    report("stage_times", tables, file=args.json, videos=len(videos), rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
