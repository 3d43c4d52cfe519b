"""What the scripts in ``tools/`` share: options, exit statuses, and errors told in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import InputError

# Before torch is imported: GNU OpenMP's idle threads otherwise spin, and slow down all else on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

DONE, FAILED, SOME_SKIPPED = 0, 2, 3
STATUS_FILE = "TPSPARSE_STATUS_FILE"
EXIT_HELP = f"Exit status: {DONE} done, {FAILED} not done, {SOME_SKIPPED} done but some items were skipped."


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """The options of every script that reads a config."""
    from mmengine.config import DictAction

    parser.add_argument("--work-dir", help="where the run writes (default: work_dirs/<name of the config>)")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        default={},
        metavar="K=V",
        help="override values of the config, such as data_root=DIR train_dataloader.batch_size=4",
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """How the processes of a run were started."""
    parser.add_argument("--launcher", choices=("none", "pytorch", "slurm"), default="none")
    # Older torch launchers pass the rank as an argument; torchrun sets the environment instead.
    parser.add_argument("--local-rank", "--local_rank", type=int, default=0, help=argparse.SUPPRESS)


def run(main: Callable[[list[str] | None], int], argv: list[str] | None = None) -> int:
    """Call a script's main function; an unusable input becomes one line and exit status 2."""
    try:
        status = main(argv)
        _leave_group()
        return _told_to_launcher(status)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return _told_to_launcher(FAILED)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130


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
