"""Draw F1, precision and recall of parsers against the tolerated distance, as figure 7 of the TAPOS paper.

    python tools/analysis/boundary_curves.py TransParser=a/val.json TCN=b/val.json --gt ROOT --out curves.png
    python tools/analysis/boundary_curves.py a/val.json floor:even --gt ROOT --split val --rule nearest

Reads files of predicted boundaries, which the test of a config of configs/temporal_parsing writes where its
BoundaryMetric has an out_file; no network is run. NAME= in front of a file names it in the legend. floor:none and
floor:even stand for no boundary and for evenly spaced ones, as many as the split's instances have on average.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parse_args(argv)

    from tpsparse.datasets.instances import open_instances
    from tpsparse.errors import InputError
    from tpsparse.evaluation.boundary_scoring import method_of, score_method
    from tpsparse.visualization.boundary_curves import write_curves
    from tpsparse.visualization.relevance import check_picture

    check_picture(args.out)
    index = open_instances(args.gt, args.split)
    scores = {}
    for source in args.sources:
        method = method_of(source, index.instances)
        if method.name in scores:
            raise InputError(f"{source} is called {method.name} like another one: write NAME= in front of it")
        if method.note:
            print(f"{method.name}: {method.note}", file=sys.stderr)
        scores[method.name] = score_method(method, index.instances, rule=args.rule)
    write_curves(args.out, scores)
    print(f"{args.out} is written")
    index.problems.report(f"instances of {args.gt} ({args.split})")
    return SOME_SKIPPED if len(index.problems) else DONE


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"{rest}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sources", nargs="+", metavar="[NAME=]FILE", help="predicted boundaries, or a floor")
    parser.add_argument("--gt", required=True, metavar="ROOT", help="the data set whose annotation is the truth")
    parser.add_argument("--split", default="val", help="its subset (default: %(default)s)")
    parser.add_argument(
        "--rule",
        choices=("one_to_one", "nearest"),
        default="one_to_one",
        help="that of the public evaluators (default), or equation 7 of the paper",
    )
    parser.add_argument("--out", type=Path, default=Path("curves.png"), metavar="PNG", help="(default: %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
