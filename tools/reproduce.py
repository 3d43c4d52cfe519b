"""Train every network of a system in order, extract features, test; what is done already is skipped."""

from __future__ import annotations

import argparse
import logging
import sys

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, positive, print_metrics, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a system config, as in configs/systems/")
    parser.add_argument(
        "--jobs", type=positive, help="networks trained at a time (default: one a core; one with a GPU)"
    )
    add_config_options(parser)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")

    from tpsparse.reproduction import Reproduction

    reproduction = Reproduction(args.config, work_dir=args.work_dir, options=args.cfg_options, jobs=args.jobs)
    report = reproduction.run()
    print_metrics({name: value for name, value in report.items() if isinstance(value, (int, float, str))})
    for name, metrics in report["networks"].items():
        if metrics:
            print(f"\n{name}")
            print_metrics(metrics)
    if report.get("metrics"):
        print("\nthe system")
        print_metrics(report["metrics"])
    if report.get("sources"):
        print("\ntop-1 accuracy by source of action scores")
        print_metrics(report["sources"])
    print(f"\nall files: {reproduction.out_dir}")
    return SOME_SKIPPED if reproduction.place.skipped else DONE


if __name__ == "__main__":
    sys.exit(run(main))
