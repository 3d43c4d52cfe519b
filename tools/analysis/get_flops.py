"""Count the parameters and the multiply-adds of networks, or of the networks of systems, from their configs.

What papers call FLOPs are multiply-adds: convolutions, linear layers and matrix products, those of attention included;
norms, activations, RoIAlign and the like are not counted. Neither a data set nor weights are needed.
"""

from __future__ import annotations

import argparse
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
        help="count one view: H W of a frame or crop, T H W of a clip, T P of features (default: the config's views)",
    )
    parser.add_argument("--persons", type=positive, default=3, help="persons in a system's frame (default: 3)")
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
    if not all(each["own_names"] for each in found):
        print("numbers of names: those of Kinetics-TPS, where the config's data set is not here")
    if args.json is not None:
        write_json(args.json, found)
    return DONE


def _count(config: str, args: argparse.Namespace) -> dict[str, Any]:
    """What one config costs, as plain data."""
    from tpsparse.analysis import flops
    from tpsparse.apis import is_system
    from tpsparse.engine import load_config
    from tpsparse.errors import InputError

    taxonomy, own = flops.sizes_of(config, args.data_root)
    if not is_system(load_config(config, taxonomy=taxonomy)):
        return dict(flops.network_complexity(config, taxonomy, shape=args.shape).to_json(), own_names=own)
    if args.shape is not None:
        raise InputError(f"config {config} is of a system, whose networks take other inputs: leave --shape out")
    stages = flops.system_complexity(config, taxonomy)
    return dict(
        config=Path(config).stem,
        stages=[stage.to_json() for stage in stages],
        parameters=sum(stage.parameters for stage in stages),
        persons=args.persons,
        multiply_adds_a_frame=flops.total(stages, "frame", args.persons),
        multiply_adds_a_video=flops.total(stages, "video"),
        own_names=own,
    )


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
