"""Rename published weights, so that configs can start from them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="NETWORK")
    yolof = commands.add_parser(
        "yolof", help="YOLOF of its authors (R_101_C5_1x and others), for load_from of a config"
    )
    yolof.add_argument("weights", help="the authors' file")
    yolof.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    yolof.add_argument(
        "--classes",
        choices=("person", "none", "all"),
        default="person",
        help="which of COCO's classes to keep: person for a detector of persons, none for one of parts",
    )
    args = parser.parse_args(argv)

    import torch

    from tpsparse.errors import InputError
    from tpsparse.models.detectors.published_yolof import from_published
    from tpsparse.parsing.network import read_checkpoint
    from tpsparse.structures.files import atomic_write, writing_told

    content = read_checkpoint(args.weights)
    try:
        weights = from_published(content.get("model", content), dict(person=(0,), none=(), all=None)[args.classes])
    except (ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{args.weights} has other weights than YOLOF's ({error}): give the authors' file") from error
    with writing_told(args.out), atomic_write(args.out) as partial:
        torch.save(dict(state_dict=weights), partial)
    print(f"{args.out} written: {len(weights)} tensors; start from it with --cfg-options load_from={args.out}")
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
