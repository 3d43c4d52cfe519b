"""Draw what a config's network is given: samples after all transforms, with boxes, masks, states, flips and clips."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, folder, not_negative, positive, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a training config, as in configs/part_parsing/")
    parser.add_argument("--out", type=folder, required=True, help="folder of the pictures and of index.jpg")
    parser.add_argument("--num", type=positive, default=16, help="how many samples, the first that the run takes")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="which data loader of the config")
    parser.add_argument("--seed", type=not_negative, help="seed of the run (default: the config's)")
    add_config_options(parser)
    args = parser.parse_args(argv)

    from tpsparse.analysis.browsing import Browser
    from tpsparse.engine import load_config

    cfg = load_config(args.config, options=args.cfg_options, work_dir=args.work_dir)
    browser = Browser(cfg, split=args.split, seed=args.seed)
    paths = browser.write(Path(args.out), args.num)
    for problem in browser.problems:
        print(problem, file=sys.stderr)
    print(f"{len(paths)} of {len(browser)} samples are drawn in {args.out}; index.jpg shows them together")
    return SOME_SKIPPED if len(browser.problems) else DONE


if __name__ == "__main__":
    sys.exit(run(main))
