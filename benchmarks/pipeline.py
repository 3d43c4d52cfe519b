r"""Parsing video beside the chained stock functions and beside the bare networks, in one run, the sides by turns.

    python benchmarks/pipeline.py [--quick] [--rounds 3] [--frames 24] [--clip FILE] [--json FILE] \
        [--only speed memory processes scores] [--scores WORK_DIR]

**Speed.** The sides parse the same frames with the same weights: the stock functions of mmdet, mmpose and mmaction2 one
after the other, a frame at a time, in a process of their own (``pipeline_peers.py``); this project's pass, exact and
fast; and, as the limit of either, the forward passes of its networks alone, on the batches of that pass, normalised and
ready (``pipeline_limit.py``). The networks are of full size (``pipeline_configs/full.py``), without mirror images on
either side, frames of 640 x 384 in their own size, two persons in each. Weights are random, with the numbers of trained
ones (``pipeline_weights.py``): cost does not depend on them. Outputs must be equal: boxes to 0.01 pixels, scores to
1e-4, those of keypoints for the same boxes.

**Memory**: 10 s and 600 s of video at quick size (``pipeline_long.py``). **Processes**: a list of short videos, full
size, through the test runner (``pipeline_runner.py``). **Scores**: a trained quick DAP on its synthetic test split,
exact and fast; without a work folder of it that row is left out. ``--quick`` shows in a minute that speed and memory
work; its processes would have done their list before the last of them has started.

Where a goal of speed is missed, a profile of the pass and one of the forward passes are printed and written.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pipeline_long
import pipeline_runner
from measure import REPOSITORY, in_turns, median_ratio, parser, report
from pipeline_clip import make_clip
from pipeline_limit import ForwardPasses
from pipeline_peers import SAME, ChainProcess, Outputs, differences
from pipeline_weights import make_weights

from tpsparse.cli import DONE, positive, run

CONFIGS = REPOSITORY / "benchmarks" / "pipeline_configs"
PARTS = ("speed", "memory", "processes", "scores")
CHAIN = "chained stock functions"
MODES = ("exact", "fast")
SPEEDS = {"exact": 1.8, "fast": 4.0}
ABOVE_LIMIT = 1.15
SCORES_TO = 1e-4
SHOWN = 12  # rows of a profile
Tables = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Sizes:
    """How much is measured; sizes are (height, width).

    Args:
        config: Of the system.
        size: Of the clip whose parsing is timed.
        long: Frames of the short and the long video.
        videos: Of the shared list.
        video_frames: Of each of these; every fifth is parsed.
    """

    config: Path
    size: tuple[int, int]
    long: tuple[int, int]
    videos: int
    video_frames: int


FULL = Sizes(CONFIGS / "full.py", (384, 640), (300, 18_000), videos=12, video_frames=16)
QUICK = Sizes(CONFIGS / "quick.py", (144, 192), (60, 300), videos=4, video_frames=11)
LONG_STEP = 2


def limit_of(mode: str) -> str:
    """What the row of a mode's forward passes is called."""
    return f"limit of {mode}"


def timed(name: str, work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds by the clock and of the processor, and what the work gives; how far the run is goes to stderr."""
    start, processor = time.perf_counter(), time.process_time()
    result = work()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(f"{name}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return dict(seconds=seconds, processor=processor, result=result)


class Speed:
    """The sides that parse one clip.

    Args:
        config: Of the system.
        clip: The video.
        frames: About how many of its frames are parsed.
        work_dir: Where the weights are, and are made.
    """

    def __init__(self, config: Path, clip: Path, frames: int, work_dir: Path) -> None:
        from tpsparse.apis import build_parser
        from tpsparse.datasets.video import Video

        self.clip, self.video = clip, Video(clip)
        self.step = max(1, self.video.num_frames // frames)
        some = range(1, self.video.num_frames + 1, max(1, self.video.num_frames // 4))
        make_weights(config, work_dir, self.video.frames(list(some)[:4]))
        options = _scaled(config, self.video.size)
        self.systems = {
            mode: build_parser(config, work_dir=work_dir, options=options, frame_step=self.step, runtime=mode)[0]
            for mode in MODES
        }
        self.limits = {mode: ForwardPasses(_networks(system)) for mode, system in self.systems.items()}
        self.chain = ChainProcess(config, work_dir, options)

    def parse(self, mode: str) -> Outputs:
        """The clip by this project."""
        from mmengine.registry import init_default_scope

        from tpsparse.registry import SCOPE

        init_default_scope(SCOPE)  # the stock functions leave theirs
        return Outputs.of(self.systems[mode].parse_video(self.video))

    def compare(self) -> dict[str, dict[str, float]]:
        """Run each side once; how far either mode is from the stock functions.

        The limits know their batches afterwards.
        """
        found = {}
        for mode, limit in self.limits.items():
            outputs = limit.record(partial(self.parse, mode))
            if mode == "exact":
                self.num_frames, self.num_persons = len(outputs.boxes), outputs.persons
                stock, *_ = self.chain.run(self.clip, self.step, outputs.boxes)
            try:
                found[mode] = differences(outputs, stock)
            except RuntimeError:
                if mode == "exact":
                    raise
                found[mode] = {}  # other digits may find another number of persons
        return found

    def measure(self, rounds: int) -> dict[str, list[dict[str, Any]]]:
        """All sides by turns."""
        sides: dict[str, Callable[[], Any]] = {}
        for mode in MODES:
            sides[mode] = partial(self.parse, mode)
            sides[limit_of(mode)] = self.limits[mode].run
        peers = {name: partial(timed, name, side) for name, side in sides.items()}
        results = in_turns({CHAIN: self._chained, **peers}, rounds)
        for name, done in results.items():
            for each in done:
                result = each.pop("result")
                if name.startswith("limit"):
                    each["stages"] = result
        return results

    def _chained(self) -> dict[str, Any]:
        """The stock functions, timed in their own process."""
        outputs, seconds, processor = self.chain.run(self.clip, self.step)
        print(f"{CHAIN}: {seconds:.1f} s", file=sys.stderr, flush=True)
        return dict(seconds=seconds, processor=processor, result=outputs)


def _scaled(config: Path, size: tuple[int, int]) -> dict[str, Any]:
    """Overrides of a system's config that let the detector see frames (height, width) in their own size."""
    from mmengine.config import Config

    stages = Config.fromfile(config).model.stages
    options = {**stages[0]["options"], "test_pipeline.0.scale": (size[1], size[0])}
    return {"model.stages.0.options": options}


def _networks(system: Any) -> dict[str, Any]:
    """Kind of stage to its network."""
    return {type(stage).__name__: stage.network for stage in system.stages if hasattr(stage, "network")}


def speed_rows(results: Mapping[str, Sequence[Mapping[str, Any]]], frames: int) -> list[dict[str, Any]]:
    """A row a side; what a frame costs, how many times as fast as the stock functions, and how far above its limit."""
    seconds = {name: [each["seconds"] for each in done] for name, done in results.items()}
    return [
        {
            "parsed by": name,
            "ms a frame": 1000 * statistics.median(seconds[name]) / frames,
            "processor ms a frame": 1000 * statistics.median(each["processor"] for each in done) / frames,
            "speed / stock": median_ratio(seconds[CHAIN], seconds[name]),
            "time / its limit": f"{median_ratio(seconds[name], seconds[limit_of(name)]):.3f}" if name in MODES else "",
        }
        for name, done in results.items()
    ]


def speed_goals(
    results: Mapping[str, Sequence[Mapping[str, Any]]], found: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """The rows of the goals."""
    seconds = {name: [each["seconds"] for each in done] for name, done in results.items()}
    exact = found["exact"]
    scores = max(exact["scores"], exact["action scores"], exact["keypoint scores"])
    goals = [
        _goal(
            f"exact equals {CHAIN}: boxes to {SAME} px, scores to {SCORES_TO:g}",
            f"{exact['boxes']:.2g} px, {scores:.2g}",
            exact["boxes"] <= SAME and scores <= SCORES_TO,
        )
    ]
    for mode in MODES:
        speed = median_ratio(seconds[CHAIN], seconds[mode])
        goals.append(_goal(f"{mode}: {SPEEDS[mode]} times {CHAIN}", f"{speed:.2f} times", speed >= SPEEDS[mode]))
    for mode in MODES:
        above = median_ratio(seconds[mode], seconds[limit_of(mode)])
        goals.append(_goal(f"{mode}: at most 15 % above its limit", f"{100 * (above - 1):.1f} %", above <= ABOVE_LIMIT))
    return goals


def _goal(goal: str, measured: str, met: bool) -> dict[str, Any]:
    return {"goal": goal, "measured": measured, "met": "yes" if met else "no"}


def share_rows(results: Mapping[str, Sequence[Mapping[str, Any]]], frames: int) -> list[dict[str, Any]]:
    """Where a mode's time goes: the forward passes of each stage, and the rest."""
    rows = []
    for mode in MODES:
        whole = statistics.median(each["seconds"] for each in results[mode])
        limits = results[limit_of(mode)]
        parts = {name: statistics.median(each["stages"][name] for each in limits) for name in limits[0]["stages"]}
        parts["all else"] = whole - sum(parts.values())
        rows += [
            {"mode": mode, "of": name, "ms a frame": 1000 * value / frames, "share": value / whole}
            for name, value in parts.items()
        ]
    return rows


def runtime_rows(systems: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a network of each mode: what it did run with on this machine."""
    return [
        {"mode": mode, "of": type(stage).__name__, **stage.runtime.identity()}
        for mode, system in systems.items()
        for stage in system.stages
        if hasattr(stage, "network")
    ]


def difference_rows(found: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """A row a mode; fast is told, not judged: with random weights small changes find other persons."""
    names = list(found["exact"])
    return [
        {"mode": mode, **{name: f"{each[name]:.3g}" if each else "" for name in names}} for mode, each in found.items()
    ]


def profile(work: Callable[[], Any]) -> list[dict[str, Any]]:
    """The functions in which most of the calling thread's time is spent."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    entries = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    rows = [(own, calls, f"{Path(place[0]).name}:{place[2]}") for place, (_, calls, own, _, _) in entries]
    return [{"function": name, "calls": calls, "own seconds": own} for own, calls, name in sorted(rows)[::-1][:SHOWN]]


def measure_speed(args: Any, sizes: Sizes) -> tuple[Tables, list[dict[str, Any]], dict[str, Any]]:
    """Tables, goals and every round's numbers of the speed."""
    import torch

    frames = 6 if args.quick else args.frames
    clip = args.clip or make_clip(args.data, frames=frames, size=sizes.size)
    speed = Speed(sizes.config, clip, frames, args.data / f"pipeline_{sizes.config.stem}")
    found = speed.compare()
    results = speed.measure(args.rounds)
    goals = speed_goals(results, found)
    told = f"{speed.num_frames} frames, {speed.num_persons} persons, threads: {torch.get_num_threads()}"
    tables = {
        f"Parsing a clip, {told}": speed_rows(results, speed.num_frames),
        "Largest differences to the stock functions": difference_rows(found),
        "Where the time goes": share_rows(results, speed.num_frames),
        "How the networks ran": runtime_rows(speed.systems),
    }
    for mode in MODES:
        if any(goal["met"] == "no" and goal["goal"].startswith(f"{mode}:") for goal in goals):
            tables[f"Profile of {mode}, one thread of it"] = profile(partial(speed.parse, mode))
            tables[f"Profile of the {limit_of(mode)}"] = speed.limits[mode].operators(SHOWN)
    return tables, goals, results


def measure_memory(args: Any, sizes: Sizes) -> tuple[Tables, list[dict[str, Any]], Any]:
    """The same of memory, always at quick size."""
    short, long = (make_clip(args.data, frames=frames, size=QUICK.size) for frames in sizes.long)
    work_dir = args.data / f"pipeline_{QUICK.config.stem}"
    _weights(QUICK.config, work_dir, short)
    found = [
        pipeline_long.measured(QUICK.config, work_dir, video, step=LONG_STEP, runtime="exact")
        for video in (short, long)
    ]
    return {"Memory, quick size": pipeline_long.rows_of(found)}, pipeline_long.goals(*found), found


def measure_processes(args: Any, sizes: Sizes) -> tuple[Tables, list[dict[str, Any]], Any]:
    """The same of processes that share a list."""
    from tpsparse.engine.config import names_at

    name = f"pipeline_list_{sizes.config.stem}"
    list_frames = dict(videos=sizes.videos, frames=sizes.video_frames, size=sizes.size)
    data = pipeline_runner.make_list(args.data / name, **list_frames)
    work_dir = args.data / f"{name}_weights"
    _weights(sizes.config, work_dir, next(data.glob("test_videos/*/*.mp4")), names_at(data))
    ways = {"one process, two threads": (1, 2), "two processes, one thread each": (2, 1)}
    rates = in_turns(
        {
            way: partial(
                pipeline_runner.videos_a_second,
                *(sizes.config, work_dir, data),
                **dict(processes=processes, threads=threads, out=args.data / f"{name}_{processes}"),
            )
            for way, (processes, threads) in ways.items()
        },
        min(args.rounds, 2),
    )
    [one, two] = ways
    ratio = median_ratio(rates[two], rates[one])
    rows = pipeline_runner.sharing_rows(rates, one)
    return {"A shared list": rows}, [_goal("two processes: as fast as one", f"{ratio:.2f} times", ratio >= 1)], rates


def measure_scores(args: Any, sizes: Sizes) -> tuple[Tables, list[dict[str, Any]], Any]:
    """The same of the scores of a trained system."""
    system = REPOSITORY / "configs" / "quick" / "systems" / "dap.py"
    data = pipeline_runner.trained_data(system, args.scores)
    if data is None:
        print(f"{args.scores} holds no trained {system.stem}: no scores (give --scores WORK_DIR)", file=sys.stderr)
        return {}, [], None
    scores = {
        mode: pipeline_runner.score(system, args.scores, runtime=mode, data=data, out=args.data / f"scores_{mode}")
        for mode in MODES
    }
    rows, goal = pipeline_runner.score_rows(scores), pipeline_runner.score_goal(*scores.values())
    return {"Challenge score, quick DAP": rows}, [goal], scores


def _weights(config: Path, work_dir: Path, clip: Path, taxonomy: Any = None) -> None:
    from tpsparse.datasets.video import Video

    make_weights(config, work_dir, Video(clip).frames([1, 2]), taxonomy=taxonomy)


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    told = "what is measured (default: all; with --quick the first two)"
    options.add_argument("--only", nargs="+", choices=PARTS, help=told)
    options.add_argument("--clip", type=Path, metavar="FILE", help="a video to parse in place of a drawn one")
    options.add_argument("--frames", type=positive, default=24, help="about how many of its frames are parsed")
    demo = REPOSITORY / "work_dirs" / "demo"
    options.add_argument("--scores", type=Path, default=demo, metavar="WORK_DIR", help="of a trained quick DAP")
    args = options.parse_args(argv)
    args.rounds = 1 if args.quick else args.rounds
    measures = dict(zip(PARTS, (measure_speed, measure_memory, measure_processes, measure_scores)))
    tables: Tables = {}
    goals: list[dict[str, Any]] = []
    numbers = {}
    asked = args.only or PARTS[: 2 if args.quick else None]
    for part in (part for part in PARTS if part in asked):
        more, reached, numbers[part] = measures[part](args, QUICK if args.quick else FULL)
        tables.update(more)
        goals += reached
    report("pipeline", {"Goals": goals, **tables}, file=args.json, numbers=numbers)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
