"""Make a table of a report: train and test its rows over several seeds; what is done already is skipped."""

from __future__ import annotations

import argparse
import logging
import sys

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, not_negative, positive, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a study config, as in configs/studies/")
    parser.add_argument("--seeds", type=not_negative, nargs="+", default=[0], metavar="N", help="default: 0")
    parser.add_argument(
        "--jobs", type=positive, help="networks trained at a time (default: one a core; one with a GPU)"
    )
    parser.add_argument(
        "--commands",
        type=positive,
        metavar="GPUS",
        help="only print the trainings that are left, each for tools/dist_train.sh with so many processes",
    )
    add_config_options(parser)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")

    from tpsparse.reproduction import Study
    from tpsparse.reproduction.tables import render

    study = Study(
        args.config, work_dir=args.work_dir, options=args.cfg_options, seeds=tuple(args.seeds), jobs=args.jobs
    )
    if args.commands:
        print("\n".join(study.commands(args.commands)))
        return DONE
    print(render(study.run()))
    print(f"all files: {study.work_dir}")
    return SOME_SKIPPED if study.skipped else DONE


if __name__ == "__main__":
    sys.exit(run(main))
