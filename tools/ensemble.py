r"""Combine the saved parses of any number of systems, with given or fitted weights, into records and a submission.

    python tools/ensemble.py A/test B/test:swin --data-root ROOT --out OUT --weights 0.6 0.4
    python tools/ensemble.py A/test B/test:swin --data-root ROOT --out OUT --fit A/val B/val --fit-split dap/val \
        --train-split dap/train

A member is FOLDER, whose system's own action is taken, or FOLDER:SOURCE, one of the action scores in its records. Its
system's own parses are RUN/parses/test. OUT receives parses/test, submission/, submission.zip, ensemble.json and, where
the videos are annotated, ground_truth/; report.json is as the test of a system writes it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, folder, print_metrics, run
from tpsparse.errors import InputError

TABLE_WIDTH = 100


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"{rest}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("members", nargs="+", metavar="FOLDER[:SOURCE]", help="saved parses of the reported videos")
    parser.add_argument("--data-root", required=True, metavar="ROOT", help="the data set, whose lists give the names")
    parser.add_argument("--split", default="test", help="the reported videos (default: test)")
    parser.add_argument("--out", type=folder, required=True, help="where everything is written")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--weights", nargs="+", type=float, metavar="W", help="one a member (default: equal)")
    how.add_argument(
        "--fit",
        nargs="+",
        metavar="FOLDER[:SOURCE]",
        help="the members' parses of the videos that weights are fitted on",
    )
    parser.add_argument("--fit-split", metavar="SPLIT", help="those videos, such as dap/val; best held out")
    parser.add_argument(
        "--train-split", metavar="SPLIT", help="what networks are trained on; a fit on any of these videos is refused"
    )
    parser.add_argument(
        "--state-weights",
        nargs="+",
        type=float,
        metavar="W",
        help="one a folder, in order of appearance (default: the mean weight of the folder's members)",
    )
    args = parser.parse_args(argv)
    if bool(args.fit) != bool(args.fit_split):
        parser.error("--fit and --fit-split are given together")
    if args.train_split and not args.fit:
        parser.error("--train-split is given with --fit")
    return args


def main(argv: list[str] | None = None) -> int:
    """Combine, write and tell; return the exit status."""
    args = parse_args(argv)

    from tpsparse.ensemble import Combination, Videos, read_members, write_recipe

    members = read_members(args.members)
    videos = Videos(args.data_root, args.split)
    weights, found = _find_weights(args, members, videos)
    systems = len({member.system for member in members})
    states = None if args.state_weights is None else _given("--state-weights", args.state_weights, systems, "folders")
    combination = Combination(members, weights, videos, state_weights=states)
    outcome = combination.run(args.out)
    write_recipe(args.out, combination, outcome, found)
    _show([str(member) for member in members], weights, found, outcome)
    print_metrics(outcome.metrics)
    left_out = found.get("fit", {}).get("left_out", [])
    for line in [*outcome.notes(), *_told_left_out(args.fit_split, left_out)]:
        print(line, file=sys.stderr)
    print(f"all files: {args.out}")
    return SOME_SKIPPED if outcome.failed or left_out else DONE


def _find_weights(args: argparse.Namespace, members: list[Any], videos: Any) -> tuple[Any, dict[str, Any]]:
    """(M,) weights that sum to 1, and how they were found, as plain data."""
    import numpy as np

    from tpsparse.ensemble import Member, Videos, fit_weights, held_out_votes, refuse_overlap

    count = len(members)
    if args.weights is not None:
        return _given("--weights", args.weights, count, "members"), dict(found="given")
    if args.fit is None:
        return np.full(count, 1 / count), dict(found="equal")
    if len(args.fit) != count:
        raise InputError(f"--fit has {len(args.fit)} folders for {count} members: give one a member, in their order")
    fit = [Member.read(text, member.source) for text, member in zip(args.fit, members)]
    for one, member in zip(fit, members):
        if one.source != member.source:
            raise InputError(f"{one} of --fit stands for {member}: give both the same SOURCE, in the same order")
        one.check_source()
        if Path(args.out).resolve() / "parses" in one.system.parents:
            raise InputError(f"{args.out} holds the records of --fit: give another --out")
    trained = Videos(args.data_root, args.train_split).rows if args.train_split else ()
    refuse_overlap(fit, members, videos, trained=trained)
    votes, left_out = held_out_votes(fit, Videos(args.data_root, args.fit_split))
    weights = fit_weights(votes)
    about = dict(split=args.fit_split, train_split=args.train_split, folders=[str(one) for one in fit])
    return weights, dict(found="fitted", fit=dict(about, left_out=left_out, **votes.numbers(weights)))


def _given(option: str, weights: list[float], count: int, of: str) -> Any:
    """Weights of the command line, made to sum to 1."""
    import numpy as np

    from tpsparse.parsing.actions import is_weighting

    if len(weights) != count:
        raise InputError(f"{option} has {len(weights)} numbers for {count} {of}: give one each")
    if not is_weighting(weights):
        raise InputError(f"{option} {' '.join(map(str, weights))} must not be negative, nor all zero: correct them")
    return np.array(weights) / sum(weights)


def _show(members: list[str], weights: Any, found: dict[str, Any], outcome: Any) -> None:
    """Print a row a member, then equal weights and the weights that were used; loss is the mean cross-entropy."""
    from rich.console import Console
    from rich.table import Table

    fit = found.get("fit", {})
    # Whether networks were trained on them is known only where it was said what they were trained on.
    parts = {"held-out" if fit.get("train_split") else "fit": fit, "reported": outcome.reported}
    parts = {name: part for name, part in parts.items() if part}
    table = Table()
    for column in (
        "member",
        "weight",
        *(f"{name}\n{what}" for name in parts for what in ("top-1", "loss")),
        "score [95 %]",
    ):
        table.add_column(column, justify="left" if column == "member" else "right")
    scores = outcome.scores
    alone = scores["members"] if scores else [None] * len(members)
    for i, weight in enumerate(weights):
        cells = _cells([part["members"][i] for part in parts.values()])
        table.add_row(str(i + 1), f"{weight:.4f}", *cells, _interval(alone[i]))
    table.add_section()
    own = _interval(scores and scores["ensemble"])
    is_equal = found["found"] == "equal"
    equal = _cells([part["equal"] for part in parts.values()])
    table.add_row("equal weights", "", *equal, own if is_equal else "")
    if not is_equal:
        table.add_row(f"{found['found']} weights", "", *_cells([p["ensemble"] for p in parts.values()]), own)
    for i, member in enumerate(members, start=1):
        print(f"{i}  {member}")
    # A pipe has no width; narrower than this, numbers would be broken over lines.
    Console(width=max(TABLE_WIDTH, Console().width)).print(table)
    print(", ".join(f"{part['videos']} {name} videos" for name, part in parts.items()))
    if scores:
        print(f"difference to the best member, {scores['best'] + 1}: {_interval(scores['difference'])}")


def _cells(numbers: list[dict[str, float]]) -> list[str]:
    return [f"{each[name]:.4f}" for each in numbers for name in ("top1", "cross_entropy")]


def _interval(given: dict[str, float] | None) -> str:
    return "-" if not given else f"{given['value']:.4f} [{given['low']:.4f}, {given['high']:.4f}]"


def _told_left_out(split: str, videos: list[str]) -> list[str]:
    return [f"{len(videos)} videos of {split} were left out of the fit, such as {videos[0]}"] if videos else []


if __name__ == "__main__":
    sys.exit(run(main))
