"""Find what holds a system back: its saved predictions replaced by ground truth, and where it loses points.

    python tools/analysis/bottleneck.py configs/systems/dap.py
    python tools/analysis/bottleneck.py SYSTEM_CONFIG --against OTHER_SYSTEM_CONFIG_OR_FOLDER_OF_PARSES

Reads the records that tools/test.py has saved for the system; no network is run. Prints the eleven rows of table 1 of
the DAP report and writes bottleneck.json, report.html and its pictures to --out. --work-dir and the overrides without
a dot, such as data_root=DIR, hold for both systems.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tpsparse.cli import DONE, EXIT_HELP, add_config_options, folder, run

if TYPE_CHECKING:
    from tpsparse.analysis.score.diagnosis import Diagnosis
    from tpsparse.analysis.score.records import Annotated, Records
    from tpsparse.analysis.score.report import Comparison

OUT = "bottleneck"


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parse_args(argv)

    from tpsparse.analysis.score.diagnosis import diagnose, score_records
    from tpsparse.analysis.score.records import Annotated, records_of
    from tpsparse.analysis.score.report import Comparison, write_diagnosis
    from tpsparse.engine import config_taxonomy, of_evaluators

    cfg = system_config(args.config, args)
    taxonomy, thresholds = config_taxonomy(cfg), thresholds_of(cfg)
    dataset = cfg.test_dataloader.dataset
    annotated = Annotated.open(dataset.data_root, dataset.split, taxonomy)
    records = records_of(cfg, annotated, command=test_command(args.config, args))
    # Before the long work: what it is compared with may not be there.
    others = None if args.against is None else other_records(args, annotated)
    diagnosis = diagnose(records, taxonomy, thresholds, total=len(records), progress=True)
    against = None
    if others is not None:
        result = score_records(others, taxonomy, thresholds, total=len(others), progress=True)
        against = Comparison.of(args.against, diagnosis.result, result)
    out = Path(args.out or Path(of_evaluators(cfg, "out_dir") or cfg.work_dir) / OUT)
    name = f"{cfg.get('title') or Path(args.config).stem} ({args.config})"
    files = write_diagnosis(diagnosis, out, system=name, failed=records.failed, against=against)
    show(diagnosis, against)
    for video in records.failed:
        print(f"{video}: has no record and counts as empty", file=sys.stderr)
    print(f"{files[0]} is written, beside {', '.join(file.name for file in files[1:])}")
    return DONE


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"{rest}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", help="a system config, as in configs/systems/")
    parser.add_argument(
        "--against", metavar="SYSTEM", help="another system's config or its folder of parses, to compare scores with"
    )
    parser.add_argument(
        "--out", type=folder, help=f"where the files go (default: {OUT}/ where the system's test writes)"
    )
    add_config_options(parser)
    return parser.parse_args(argv)


def system_config(config: str, args: argparse.Namespace, *, own: bool = True) -> Any:
    """A loaded system config; of another system, only overrides of top-level values hold.

    Raises:
        InputError: If it cannot be read or is of one network.
    """
    from tpsparse.engine import load_config
    from tpsparse.errors import InputError

    cfg = load_config(config, options=options_of(args, own=own), work_dir=args.work_dir)
    if "stages" not in cfg.get("model", {}) or "test_dataloader" not in cfg:
        raise InputError(f"config {config} is of one network: give a system config, as in configs/systems/")
    return cfg


def options_of(args: argparse.Namespace, *, own: bool) -> dict[str, Any]:
    """The overrides that hold for the system, or for the one it is compared with."""
    return {key: value for key, value in args.cfg_options.items() if own or ("." not in key and key != "out_dir")}


def thresholds_of(cfg: Any) -> Any:
    """The IoU thresholds of the system's own metric."""
    from tpsparse.analysis.score.diagnosis import Thresholds
    from tpsparse.engine import of_evaluators

    given = {name: of_evaluators(cfg, name) for name in ("human_iou", "part_iou")}
    return Thresholds(**{name: value for name, value in given.items() if value is not None})


def other_records(args: argparse.Namespace, annotated: Annotated) -> Records:
    """The records that --against names.

    Raises:
        InputError: If they are not there or not whole.
    """
    from tpsparse.analysis.score.records import Records, records_of

    if Path(args.against).is_dir():
        return Records(args.against, annotated, remedy="give --against a folder with a record of each video")
    cfg = system_config(args.against, args, own=False)
    return records_of(cfg, annotated, command=test_command(args.against, args, own=False), then="give --against DIR")


def test_command(config: str, args: argparse.Namespace, *, own: bool = True) -> str:
    """What makes the records of a system."""
    options = options_of(args, own=own)
    words = ["python", "tools/test.py", config]
    if args.work_dir:
        words += ["--work-dir", args.work_dir]
    if options:
        words += ["--cfg-options", *(f"{key}={value}" for key, value in options.items())]
    return shlex.join(words)


def show(diagnosis: Diagnosis, against: Comparison | None) -> None:
    """Print the eleven rows, the main numbers and the causes."""
    from rich.console import Console
    from rich.table import Table

    from tpsparse.analysis.score.points import per_cent
    from tpsparse.analysis.score.replacing import ROWS

    table = Table()
    for title in ("actor", "part boxes", "part states", "action"):
        table.add_column(title, justify="center")
    for title in ("score", "95 % interval", "gain", "95 % interval", "paper's score"):
        table.add_column(title, justify="right")
    for row, interval, gain in zip(ROWS, diagnosis.row_intervals, diagnosis.gains):
        ticks = ["✓" if tick else "" for tick in (row.actor, row.part_boxes, row.part_states, row.action)]
        gained = ("", "") if row is ROWS[0] else (per_cent(gain.value, sign=True), ends(gain, sign=True))
        table.add_row(*ticks, per_cent(interval.value), ends(interval), *gained, f"{row.paper:.2f}")
    # A name may look like rich's markup, which is then printed as it is; a pipe is no reason for narrow columns.
    console = Console(markup=False, width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for name, interval in diagnosis.intervals.items():
        print(f"{name:<12} {per_cent(interval.value):>6}  {ends(interval)}")
    losses = ", ".join(f"{cause} {per_cent(loss)}" for cause, loss in diagnosis.points.totals().items())
    print(f"lost points: {losses}")
    if against is not None:
        other = against.result
        for name, value, difference in (
            ("score", other.score, against.difference),
            ("action top-1", other.action_top1, against.top1_difference),
        ):
            told = f"{per_cent(difference.value, sign=True)}, {ends(difference, sign=True)}"
            print(f"{name} of {against.name} {per_cent(value)}; difference {told}")


def ends(interval: Any, *, sign: bool = False) -> str:
    """An interval's ends as per cent."""
    from tpsparse.analysis.score.points import per_cent

    return f"{per_cent(interval.low, sign=sign)} to {per_cent(interval.high, sign=sign)}"


if __name__ == "__main__":
    sys.exit(run(main))
