"""Score a Kinetics-TPS submission, and list everything that is wrong with it.

    python tools/evaluate.py --gt DIR --pred DIR_OR_ZIP [--json FILE]

The folder of the ground truth holds gt_part_result.json and gt_vid_result.json, the prediction's (or the zip archive)
pred_part_result.json and pred_vid_result.json. A taxonomy.json beside the ground truth says which names may occur;
without it, the names that the ground truth uses. Exit status 0 for a valid submission; 2 if there are findings, or
if a file cannot be used.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from tpsparse.cli import DONE, FAILED, run
from tpsparse.errors import InputError
from tpsparse.evaluation.functional.kinetics_tps import TPSResult, check_ground_truth, evaluate
from tpsparse.evaluation.submission import ACTIONS_FILE, PARTS_FILE, PREDICTION, TAXONOMY_FILE, TRUTH
from tpsparse.evaluation.validation import validate_submission
from tpsparse.structures.files import write_json
from tpsparse.taxonomy import Taxonomy


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gt", type=Path, required=True, metavar="DIR", help="folder of the ground truth")
    parser.add_argument("--pred", type=Path, required=True, metavar="DIR", help="folder or zip of the prediction")
    parser.add_argument("--human-iou", type=_share, default=0.5, metavar="IOU", help="persons match above it")
    parser.add_argument("--part-iou", type=_share, default=0.3, metavar="IOU", help="parts are located from it on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the report")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Validate, score and report; return the exit status.

    Raises:
        InputError: If a file cannot be used, or the score cannot be computed.
    """
    args = parse_args(argv)
    with without_collector():
        return score(args)


def score(args: argparse.Namespace) -> int:
    """What :func:`main` does, for read arguments."""
    gt_parts, gt_actions = (read_json(args.gt / f"{TRUTH}{name}") for name in (PARTS_FILE, ACTIONS_FILE))
    check_ground_truth(gt_parts, gt_actions)
    pred_parts, pred_actions = read_prediction(args.pred)
    findings = validate_submission(
        pred_parts, pred_actions, gt_parts=gt_parts, gt_actions=gt_actions, taxonomy=read_taxonomy(args.gt)
    )
    for finding in findings:
        print(finding, file=sys.stderr)
    if findings:
        print(f"{len(findings)} findings in {args.pred}", file=sys.stderr)
    try:
        result = evaluate(
            gt_parts, gt_actions, pred_parts, pred_actions, human_iou=args.human_iou, part_iou=args.part_iou
        )
    except InputError as error:
        raise InputError(f"{args.pred} cannot be scored: {error}") from error
    show(result, title=f"Kinetics-TPS score despite {len(findings)} findings" if findings else "Kinetics-TPS score")
    if args.json is not None:
        write_report(args.json, {**result.to_json(), "findings": [str(finding) for finding in findings]})
    return FAILED if findings else DONE


@contextmanager
def without_collector() -> Iterator[None]:
    """Do not look for cycles meanwhile: a test set has millions of objects and none, and looking doubles the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def read_prediction(path: Path) -> tuple[Any, Any]:
    """Contents of the two files of a prediction, in a folder or in a zip archive.

    Raises:
        InputError: If one is missing or cannot be read.
    """
    if not path.is_file():
        parts, actions = (read_json(path / f"{PREDICTION}{name}") for name in (PARTS_FILE, ACTIONS_FILE))
        return parts, actions
    try:
        with zipfile.ZipFile(path) as archive:
            parts, actions = (_read_member(archive, path, f"{PREDICTION}{n}") for n in (PARTS_FILE, ACTIONS_FILE))
            return parts, actions
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be read as a zip archive ({error}): give a folder or a whole archive"
        ) from error


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        InputError: If it is missing or is not JSON.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: give the folder that holds it")
    try:
        return _parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def read_taxonomy(folder: Path) -> Taxonomy | None:
    """The names beside a ground truth, or None.

    Raises:
        InputError: If the file is there but cannot be used.
    """
    path = folder / TAXONOMY_FILE
    if not path.is_file():
        return None
    try:
        return Taxonomy.from_meta(read_json(path))
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not hold lists of parts, states, actions and objects: remove it") from error


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report as JSON.

    Raises:
        InputError: If it cannot be written there.
    """
    try:
        write_json(path, report)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): give --json a file of your own") from error


def show(result: TPSResult, *, title: str) -> None:
    """Print the numbers as a table."""
    print(title)
    table = Table()
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in (
        ("score", result.score),
        ("action top-1", result.action_top1),
        ("mean PSC", result.mean_psc),
    ):
        table.add_row(name, f"{value:.4f}")
    table.add_row("videos", str(len(result.psc)), end_section=True)
    for name, value in result.part_accuracy.items():
        table.add_row(f"{name} correct", f"{value:.4f}")
    # A name may look like rich's markup, which is then printed as it is.
    Console(markup=False).print(table)


def _read_member(archive: zipfile.ZipFile, path: Path, name: str) -> Any:
    # Archives made of a folder hold its name too.
    members = [member for member in archive.namelist() if member.rsplit("/", 1)[-1] == name]
    if len(members) != 1:
        raise InputError(f"{path} holds {len(members)} files named {name}: zip exactly one")
    return _parse(archive.read(members[0]), f"{path}, {members[0]}")


def _parse(data: bytes, name: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # the standard library takes more: NaN, other encodings; what it refuses, it tells in known words
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON ({error}): write it again") from error


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 1]")
    return value


if __name__ == "__main__":
    sys.exit(run(main))
