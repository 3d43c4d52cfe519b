"""Write a page about a data set: what is annotated, how often, how large, and what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, folder, not_negative, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("root", type=folder, metavar="ROOT", help="a data set in the official layout")
    parser.add_argument("--out", type=Path, default=Path("report.html"), metavar="FILE", help="the page")
    parser.add_argument("--split", default="train", help="whose annotations: train, test or a named one as dap/val")
    parser.add_argument("--seed", type=not_negative, default=0, help="decides which sample frames are drawn")
    args = parser.parse_args(argv)

    from tpsparse.analysis.report import write_report
    from tpsparse.errors import InputError

    if args.out.is_dir():
        raise InputError(f"{args.out} is a folder: give the name of a page in it, such as {args.out / 'report.html'}")
    problems = write_report(Path(args.root), args.out, split=args.split, seed=args.seed)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{args.out} is written ({args.out.stat().st_size / 1e6:.1f} MB)")
    return SOME_SKIPPED if len(problems) else DONE


if __name__ == "__main__":
    sys.exit(run(main))
