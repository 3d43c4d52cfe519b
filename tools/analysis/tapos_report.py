"""Write a page about a data set in TAPOS's format: sub-actions by action, where boundaries fall, what is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, folder, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("root", type=folder, metavar="ROOT", help="a data set in TAPOS's format")
    parser.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="where report.html and its pictures go"
    )
    parser.add_argument("--subset", nargs="+", help="train, val or test (default: all of them)")
    args = parser.parse_args(argv)

    from tpsparse.analysis.temporal.report import PAGE, write_instance_report

    out = Path(args.out)
    found = write_instance_report(Path(args.root), out, subsets=args.subset)
    print(found.text(listed=False))
    print(f"{out / PAGE} is written")
    return SOME_SKIPPED if found.num_errors else DONE


if __name__ == "__main__":
    sys.exit(run(main))
