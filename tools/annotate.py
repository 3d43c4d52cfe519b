"""Label one's own videos: a data set in the official Kinetics-TPS layout, with people, parts and states."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tpsparse.cli import DONE, EXIT_HELP, FAILED, SOME_SKIPPED, folder, positive, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = _parser().parse_args(argv)

    from tpsparse.annotation.dataset import Options, annotate_videos
    from tpsparse.annotation.job import PoseOptions

    options = Options(
        action=args.action,
        test_share=args.test_share,
        seed=args.seed,
        clip_seconds=args.clip_seconds,
        pose=PoseOptions(step=args.step, max_persons=args.max_persons, tiles=args.tiles, min_seconds=args.min_seconds),
        min_visibility=args.min_visibility,
        rules=args.rules,
        review=not args.no_review,
        redo=args.redo,
        workers=args.workers,
    )
    summary = annotate_videos(args.videos, Path(args.out), options)
    print(summary.text())
    for problem in summary.problems:
        print(f"problem: {problem}", file=sys.stderr)
    if summary.nothing_done:
        return FAILED
    return SOME_SKIPPED if len(summary.problems) else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"{EXIT_HELP} The same command again goes on where it was stopped, and keeps labels that are there.",
    )
    parser.add_argument(
        "videos", nargs="+", type=Path, metavar="VIDEO_OR_FOLDER", help="FOLDER/<action>/<video>, or with --action any"
    )
    parser.add_argument("--out", type=folder, required=True, metavar="ROOT", help="folder of the data set")
    parser.add_argument("--action", metavar="NAME", help="label of all videos (default: the names of their folders)")
    parser.add_argument(
        "--clip-seconds",
        type=float,
        metavar="S",
        help="cut videos into clips of about S seconds (default: new ones whole, known ones as they are cut)",
    )
    parser.add_argument(
        "--test-share", type=float, default=0.25, help="of each action's new videos, for the test split (default: 0.25)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the choice of test videos (default: 0)")
    _add_labels(parser)
    parser.add_argument(
        "--redo", action="store_true", help="make labels, and clips of other seconds, anew; corrections are lost"
    )
    parser.add_argument("--no-review", action="store_true", help="do not write ROOT/review/<video>.mp4")
    parser.add_argument("--workers", type=positive, help="videos at a time, a process each (default: one a core)")
    return parser


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--step", type=positive, default=1, metavar="N", help="find people in every N-th frame and interpolate between"
    )
    parser.add_argument("--max-persons", type=positive, default=10, help="at most so many a frame (default: 10)")
    parser.add_argument(
        "--tiles", default="auto", help="where people are looked for besides the whole frame: auto, none, or RxC"
    )
    parser.add_argument(
        "--min-seconds", type=float, default=0.3, help="drop persons who are seen for less (default: 0.3)"
    )
    parser.add_argument(
        "--min-visibility", type=float, default=0.5, help="leave out parts that are seen less, 0 to 1 (default: 0.5)"
    )
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help="rules for the parts' states instead of annotation/states.yaml"
    )
    parser.add_argument("--list-measures", action=_ListMeasures, help="say what rules may ask about, and leave")


class _ListMeasures(argparse.Action):
    """Like ``--help``: prints and ends, whatever else is given."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=options.get("help"))

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from tpsparse.annotation.measures import MEASURES

        for measure in MEASURES.values():
            print(f"{measure.name:<22}{', '.join(measure.groups)}: {measure.meaning}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(run(main))
