"""Train one network from its config."""

from __future__ import annotations

import argparse
import sys

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, add_launcher, not_negative, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a training config, as in configs/person_detection/")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the work folder")
    parser.add_argument("--amp", action="store_true", help="mixed precision")
    parser.add_argument("--seed", type=not_negative, help="seed of the run (default: the config's)")
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args(argv)

    from mmengine.device import get_device

    from tpsparse import apis
    from tpsparse.engine import load_config
    from tpsparse.errors import InputError

    if args.amp and get_device() == "cpu":
        raise InputError("--amp needs a GPU and there is none: leave it out")

    cfg = load_config(args.config, options=args.cfg_options, work_dir=args.work_dir)
    if args.amp:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    runner = apis.train(cfg, launcher=args.launcher, resume=args.resume)
    return SOME_SKIPPED if len(runner.train_dataloader.dataset.problems) else DONE


if __name__ == "__main__":
    sys.exit(run(main))
