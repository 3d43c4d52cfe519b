"""Make and prepare data sets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, folder, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_synthetic(commands)
    args = parser.parse_args(argv)
    args.command(args)
    return DONE


def _add_synthetic(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("synthetic", help="draw a small data set in the official Kinetics-TPS layout")
    parser.add_argument("--out", type=folder, required=True, help="folder of the data set")
    parser.add_argument("--actions", type=int, default=8, help="number of actions")
    parser.add_argument("--train", type=int, default=32, help="training videos of each action")
    parser.add_argument("--test", type=int, default=5, help="test videos of each action")
    parser.add_argument("--frames", type=int, default=20, help="frames of a video")
    parser.add_argument("--size", type=_size, default=(144, 192), metavar="HxW", help="height and width in pixels")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files, to the bit")
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    parser.set_defaults(command=_synthetic)


def _synthetic(args: argparse.Namespace) -> None:
    from tpsparse.datasets.synthetic import write_dataset

    write_dataset(
        Path(args.out),
        actions=args.actions,
        train=args.train,
        test=args.test,
        frames=args.frames,
        size=args.size,
        seed=args.seed,
        workers=args.workers,
    )


def _size(text: str) -> tuple[int, int]:
    height, cross, width = text.partition("x")
    if not (cross and height.isdigit() and width.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not HxW: write the height and width in pixels, as in 144x192")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(run(main))
