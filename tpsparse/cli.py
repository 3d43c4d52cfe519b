"""What the scripts in ``tools/`` share: options, exit statuses, and errors told in one line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import FULL, InputError

# Before torch is imported: GNU OpenMP's idle threads otherwise spin, and slow down all else on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

DONE, FAILED, SOME_SKIPPED = 0, 2, 3
STATUS_FILE = "TPSPARSE_STATUS_FILE"
EXIT_HELP = f"Exit status: {DONE} done, {FAILED} not done, {SOME_SKIPPED} done but some items were skipped."


def positive(text: str) -> int:
    """An option's value as a whole number above 0."""
    return _whole_number(text, 1, "above 0")


def not_negative(text: str) -> int:
    """An option's value as a whole number of 0 or more."""
    return _whole_number(text, 0, "of 0 or more")


def folder(text: str) -> str:
    """An option's value as a folder that is there or can be made: told now, not when the work is to be written."""
    path = Path(text)
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.exists() and not there.is_dir():
        raise argparse.ArgumentTypeError(f"{there} is not a folder: give another place")
    return text


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """The options of every script that reads a config."""
    parser.add_argument(
        "--work-dir", type=folder, help="where the run writes (default: work_dirs/<name of the config>)"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=_config_action(),
        default={},
        metavar="K=V",
        help="override values of the config, such as data_root=DIR train_dataloader.batch_size=4",
    )


def add_runtime(parser: argparse.ArgumentParser) -> None:
    """How the networks of a system are run; ``--cfg-options runtime.batch_persons=64`` and the like say more."""
    parser.add_argument(
        "--runtime",
        choices=("exact", "fast"),
        help="how networks are run: exact in 32 bits, or fast, in 16 where that pays (default: the config's, exact)",
    )


def with_runtime(options: dict[str, Any], runtime: str | None) -> dict[str, Any]:
    """The options of a config with the ``--runtime`` that was given, if any."""
    return options if runtime is None else {**options, "runtime.preset": runtime}


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """How the processes of a run were started."""
    parser.add_argument("--launcher", choices=("none", "pytorch", "slurm"), default="none")
    # Older torch launchers pass the rank as an argument; torchrun sets the environment instead.
    parser.add_argument("--local-rank", "--local_rank", type=int, default=0, help=argparse.SUPPRESS)


def run(main: Callable[[list[str] | None], int], argv: list[str] | None = None) -> int:
    """Call a script's main function; an unusable input or file becomes one line and exit status 2."""
    # A log that cannot be written, as on a full disk, is told of in a traceback a line otherwise.
    logging.raiseExceptions = False
    try:
        status = main(argv)
        _leave_group()
        return _told_to_launcher(status)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return _told_to_launcher(FAILED)
    except OSError as error:
        told = f"{error.strerror or error}{': make room there' * (error.errno in FULL)}"
        print(f"error: {told if error.filename is None else f'{error.filename}: {told}'}", file=sys.stderr)
        return _told_to_launcher(FAILED)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130


def _whole_number(text: str, lowest: int, told: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number {told}")
    return number


def _config_action() -> type[argparse.Action]:
    """How overrides are read; mmengine is imported only by the scripts that need it."""
    from mmengine.config import DictAction

    class ConfigAction(DictAction):
        """An item that cannot be read is told as argparse tells its own, and blanks in a path stay."""

        @staticmethod
        def _parse_iterable(val: str) -> Any:
            # mmengine takes blanks out of every value; only lists and tuples have any that mean nothing.
            if "," not in val and not val.startswith(("(", "[")):
                return DictAction._parse_int_float_bool(val.strip("'\""))
            return DictAction._parse_iterable(val)

        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            for item in values:
                if not item.partition("=")[0] or "=" not in item:
                    raise argparse.ArgumentError(self, f"{item} is not K=V: write it as in data_root=DIR")
                try:
                    super().__call__(parser, namespace, [item], option_string)
                except AssertionError as error:  # how mmengine tells of brackets
                    raise argparse.ArgumentError(self, f"{item} has a bracket too many or too few") from error

    return ConfigAction


def _leave_group() -> None:
    """End together with the other processes of a run: one that is still connected when another is gone may abort."""
    if "torch" not in sys.modules:
        return
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def _told_to_launcher(status: int) -> int:
    """The status that one of several processes exits with.

    A launcher takes any status but 0 for a crash: it stops the other processes and gives a status of its own. So
    ``tools/launch.sh`` names a file that tells what it exits with, and skipped items end only the main process so.
    """
    file, rank = os.environ.get(STATUS_FILE), os.environ.get("RANK", "0")
    if file and rank == "0" and status != DONE:
        Path(file).write_text(str(status))
    return DONE if status == SOME_SKIPPED and (file or rank != "0") else status


def print_metrics(metrics: dict[str, Any]) -> None:
    """One metric a line, aligned."""
    width = max(map(len, metrics), default=0)
    for name, value in metrics.items():
        print(f"{name:<{width}}  {value:.4f}" if isinstance(value, float) else f"{name:<{width}}  {value}")
