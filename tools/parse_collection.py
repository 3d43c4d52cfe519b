"""Parse any number of videos on Ray, on this machine or a cluster: one record a video; run it again to go on."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from tpsparse.cli import (
    DONE,
    EXIT_HELP,
    FAILED,
    SOME_SKIPPED,
    add_config_options,
    add_runtime,
    folder,
    positive,
    run,
)


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = _options(argv)

    from tpsparse.cluster import Collection, parse_collection
    from tpsparse.cluster.account import Fate
    from tpsparse.cluster.run import Rules
    from tpsparse.cluster.work import Choices, TrainedSystem

    make = partial(
        TrainedSystem,
        os.path.abspath(args.config),
        work_dir=args.work_dir and os.path.abspath(args.work_dir),
        options=dict(args.cfg_options),
        frame_step=args.every,
        runtime=args.runtime,
    )
    rules = Rules(
        choices=Choices(features=args.features, export=args.json),
        retry_failed=args.retry_failed,
        time_limit=args.time_limit,
    )
    account = parse_collection(
        Collection(args.list),
        args.out,
        make,
        address=args.address,
        workers=args.workers,
        rules=rules,
        about=dict(config=args.config, every=args.every, runtime=args.runtime),
    )
    parsed = account.fates[Fate.PARSED]
    print(f"{Path(args.out) / 'summary.json'}: {parsed} of {account.inputs - account.fates[Fate.DUPLICATE]} videos")
    return DONE if not account.unparsed else SOME_SKIPPED if parsed else FAILED


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a system config, as in configs/systems/")
    parser.add_argument(
        "list", metavar="LIST", help="a text file with the path of a video a line, a folder of videos, or - for stdin"
    )
    parser.add_argument(
        "--out", type=folder, required=True, help="records are written to OUT/results, the account to OUT/summary.json"
    )
    parser.add_argument(
        "--address", help="a Ray cluster, as ray://HOST:10001 or auto (default: a Ray of this machine, for this run)"
    )
    parser.add_argument("--workers", type=positive, metavar="N", help="processes (default: one a GPU, or one a core)")
    parser.add_argument("--every", type=positive, default=1, metavar="N", help="parse every N-th frame (default: 1)")
    parser.add_argument(
        "--json", action="store_true", help="write each record as JSON too, as tools/parse_video.py does"
    )
    parser.add_argument(
        "--features", action="store_true", help="keep the networks' features in the records, to learn from"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try again what could not be parsed in an earlier run"
    )
    parser.add_argument(
        "--time-limit",
        type=positive,
        metavar="SECONDS",
        help="end a worker that has had a video for so long, as if it had died of it (default: none)",
    )
    add_runtime(parser)
    add_config_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
