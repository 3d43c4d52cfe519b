"""Count the parameters and the multiply-adds of networks, or of the stages of systems, from their configs.

What papers call FLOPs are multiply-adds: convolutions, linear layers and matrix products, those of attention included;
norms, activations, RoIAlign and the like are not counted, nor optical flow and MediaPipe. A system is also counted by
the second of video: frames parsed, persons in them, segments and the video itself, each as often as an average video
has them; the number of segments is a mean, and ``cut`` the whole number that one such video is cut into. A parser of
action instances is counted on the features of 282 frames, TAPOS's mean of 9.4 s at 30 frames a second, and what makes
these features by the frame. Neither a data set nor weights are needed.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from pathlib import Path
from typing import Any

from tpsparse.cli import DONE, EXIT_HELP, positive, run

TABLE_WIDTH = 110


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="of networks or of systems")
    parser.add_argument(
        "--shape",
        nargs="+",
        type=positive,
        metavar="N",
        help="count one view: H W of a frame or crop, T H W of a clip, T P of features, T of an instance (default: the "
        "config's views)",
    )
    average = parser.add_argument_group("an average video, for systems")
    average.add_argument("--persons", type=positive, default=3, help="in a frame (default: 3)")
    average.add_argument("--fps", type=_above_zero, default=15.0, help="frames a second (default: 15)")
    average.add_argument("--step", type=positive, help="every how many are parsed (default: the system's own)")
    average.add_argument("--duration", type=_above_zero, default=9.91, help="seconds (default: 9.91)")
    parser.add_argument("--data-root", metavar="ROOT", help="whose lists to count for (default: the config's own)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go as well")
    args = parser.parse_args(argv)

    from tpsparse.structures.files import write_json

    found = [_count(config, args) for config in args.configs]
    _show([each for each in found if "stages" not in each], None)
    for each in found:
        if "stages" in each:
            print()
            _show(each["stages"], each)
            _show_by_stage(each)
    if not all(each["own_names"] for each in found):
        print("numbers of names: those of Kinetics-TPS, or of TAPOS, where the config's data set is not here")
    if args.json is not None:
        write_json(args.json, found)
    return DONE


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _count(config: str, args: argparse.Namespace) -> dict[str, Any]:
    """What one config costs, as plain data."""
    from tpsparse.analysis import flops
    from tpsparse.apis import is_system
    from tpsparse.engine import load_config
    from tpsparse.errors import InputError

    taxonomy, own = flops.sizes_of(config, args.data_root)
    if not is_system(load_config(config, taxonomy=taxonomy, label_table=flops.some_labels(taxonomy))):
        return dict(flops.network_complexity(config, taxonomy, shape=args.shape).to_json(), own_names=own)
    if args.shape is not None:
        raise InputError(f"config {config} is of a system, whose networks take other inputs: leave --shape out")
    video = flops.Video(fps=args.fps, duration=args.duration, persons=args.persons, step=args.step)
    costs = flops.system_costs(config, taxonomy, video)
    stages = [cost.network for cost in costs if cost.network is not None]
    return dict(
        config=Path(config).stem,
        stages=[stage.to_json() for stage in stages],
        parameters=sum(stage.parameters for stage in stages),
        persons=args.persons,
        multiply_adds_a_frame=flops.total(stages, "frame", args.persons),
        multiply_adds_a_video=flops.total(stages, "video"),
        video=dataclasses.asdict(video),
        by_stage=[cost.to_json() for cost in costs],
        multiply_adds_a_second=sum(cost.multiply_adds for cost in costs),
        own_names=own,
    )


def _show_by_stage(system: dict[str, Any]) -> None:
    """Print what each stage costs in a second of video."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("stage")
    for head in ("inputs a second", "cut", "G mult-adds a second", "share"):
        table.add_column(head, justify="right")
    whole = system["multiply_adds_a_second"]
    for cost in system["by_stage"]:
        inputs = cost["about"] if cost["config"] is None else f"{cost['inputs_a_second']:.2f} {cost['about']}"
        number = cost["multiply_adds_a_second"]
        share = f"{number / whole:.1%}" if whole else ""
        cut = "" if cost["cut"] is None else str(cost["cut"])
        table.add_row(cost["stage"], inputs, cut, *(("", "") if cost["config"] is None else (_giga(number), share)))
    table.add_section()
    video = system["video"]
    table.add_row("all", "", "", _giga(whole), "")
    table.add_row(f"a video of {video['duration']:g} s", "", "", _giga(whole * video["duration"]), "")
    Console(width=max(TABLE_WIDTH, Console().width), markup=False).print(table)


def _show(networks: list[dict[str, Any]], system: dict[str, Any] | None) -> None:
    """Print a row a network and, for a system, its totals."""
    from rich.console import Console
    from rich.table import Table

    from tpsparse.analysis.flops import text

    if not networks:
        return
    table = Table()
    heads = ("parameters\nM", "input of a view", "a view\nG mult-adds", "views", "all views\nG mult-adds")
    table.add_column("network")
    for head in heads:
        table.add_column(head, justify="left" if head.startswith("input") else "right")
    table.add_column("a")
    for i, network in enumerate(networks, start=1):
        views = network["views"]
        table.add_row(
            str(i),
            f"{network['parameters'] / 1e6:.2f}",
            "\n".join(text(view["input"]) for view in views),
            "\n".join(_giga(view["multiply_adds"]) for view in views),
            "\n".join(str(view["views"]) for view in views),
            _giga(network["multiply_adds"]),
            network["unit"],
        )
    if system is not None:
        table.add_section()
        frame, video = (_giga(system[f"multiply_adds_a_{unit}"]) for unit in ("frame", "video"))
        parameters = f"{system['parameters'] / 1e6:.2f}"
        table.add_row("all", parameters, "", "", "", frame, f"frame of {system['persons']} persons")
        table.add_row("", "", "", "", "", video, "video, besides frames")
        print(system["config"])
    # Names are longer than a column is wide.
    for i, network in enumerate(networks, start=1):
        print(f"{i}  {network['config']}")
    Console(width=max(TABLE_WIDTH, Console().width), markup=False).print(table)


def _giga(number: int) -> str:
    return f"{number / 1e9:.2f}"


if __name__ == "__main__":
    sys.exit(run(main))
