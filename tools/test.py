"""Test a network by its own metric or a system by the challenge's score with its submission, or write features."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import (
    DONE,
    EXIT_HELP,
    SOME_SKIPPED,
    add_config_options,
    add_launcher,
    add_runtime,
    folder,
    print_metrics,
    run,
    with_runtime,
)


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a training config, or one of configs/systems/ or configs/frame_features/")
    parser.add_argument(
        "checkpoint", nargs="?", help="a network's weights (default: its last; of features: the config's)"
    )
    parser.add_argument(
        "--out",
        type=folder,
        help="where metrics.json and a submission go (a system's default: the work folder)",
    )
    add_runtime(parser)
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args(argv)

    from mmengine.dist import is_main_process

    from tpsparse import apis
    from tpsparse.engine import load_config
    from tpsparse.errors import InputError
    from tpsparse.structures.files import write_json

    options = with_runtime(args.cfg_options, args.runtime)
    cfg = load_config(args.config, options=options, work_dir=args.work_dir)
    if args.runtime and not apis.is_system(cfg):
        raise InputError(f"{args.config} is of one network, and --runtime of a system's: leave it out")
    if args.out and apis.is_system(cfg):
        apis.write_to(cfg, args.out)
    metrics, runner = apis.test(cfg, checkpoint=args.checkpoint, launcher=args.launcher)
    if is_main_process():
        print_metrics(metrics)
        if args.out:
            write_json(Path(args.out) / "metrics.json", metrics)
    return SOME_SKIPPED if len(runner.test_dataloader.dataset.problems) else DONE


if __name__ == "__main__":
    sys.exit(run(main))
