"""Score files of predicted sub-action boundaries, or floors, against an annotation in TAPOS's format.

    python tools/analysis/score_boundaries.py work_dirs/ctm/val.json --gt data/tapos --split val
    python tools/analysis/score_boundaries.py floor:none floor:even --gt ROOT --rule nearest --out scores.json

No features and no network are needed. NAME= in front of a file names it. floor:none and floor:even stand for no
boundary and for evenly spaced ones, as many as the split's own instances have on average; the configs
floor_none and floor_even take that number from the training split. Prints what BoundaryMetric reports.
"""

from __future__ import annotations

import argparse
import sys

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, print_metrics, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parse_args(argv)

    from tpsparse.datasets.instances import open_instances
    from tpsparse.evaluation.boundary_scoring import method_of, score_method
    from tpsparse.evaluation.metrics.boundary_metric import metrics_of
    from tpsparse.structures.files import write_json

    index = open_instances(args.gt, args.split)
    told = {}
    for source in args.sources:
        method = method_of(source, index.instances)
        told[source] = metrics_of(score_method(method, index.instances, rule=args.rule))
        print(f"{method.name}{method.note and f' ({method.note})'}, rule {args.rule}")
        print_metrics(told[source])
    if args.out:
        write_json(args.out, dict(rule=args.rule, split=args.split, scores=told))
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
    parser.add_argument("--out", metavar="JSON", help="write the numbers here as well")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
