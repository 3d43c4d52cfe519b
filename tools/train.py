"""Train one network from its config."""

from __future__ import annotations

import argparse
import math
import sys

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, add_launcher, not_negative, positive, run

EMA_MOMENTUM = 0.0002  # mmengine's default: an average over some 5,000 iterations
SCALE_OPTIONS = ("amp", "bf16", "accumulate", "auto_scale_lr", "sync_bn", "ema")


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a training config, as in configs/person_detection/")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the work folder")
    parser.add_argument("--seed", type=not_negative, help="seed of the run (default: the config's)")
    _add_scale_options(parser)
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args(argv)

    from tpsparse import apis
    from tpsparse.engine import LostPeerError, end_after_lost_peer, load_config, set_training_options

    cfg = load_config(args.config, options=args.cfg_options, work_dir=args.work_dir)
    set_training_options(cfg, **{name: getattr(args, name) for name in SCALE_OPTIONS})
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    try:
        runner = apis.train(cfg, launcher=args.launcher, resume=args.resume)
    except LostPeerError as error:
        end_after_lost_peer(error)
    return SOME_SKIPPED if len(runner.train_dataloader.dataset.problems) else DONE


def _add_scale_options(parser: argparse.ArgumentParser) -> None:
    """See docs/training_at_scale.md."""
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--amp", action="store_true", help="mixed precision: float16 on a GPU, bfloat16 on a CPU")
    precision.add_argument("--bf16", action="store_true", help="mixed precision with bfloat16, on a GPU and on a CPU")
    parser.add_argument("--accumulate", type=positive, metavar="N", help="make one step of N batches")
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="learning rate in proportion to the samples of a step"
    )
    parser.add_argument(
        "--sync-bn", action="store_true", help="statistics of batch norm over all processes (GPUs only)"
    )
    parser.add_argument(
        "--ema",
        type=_share,
        nargs="?",
        const=EMA_MOMENTUM,
        metavar="MOMENTUM",
        help=f"average the weights; an iteration has the weight MOMENTUM (default: {EMA_MOMENTUM})",
    )


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1")
    return share


if __name__ == "__main__":
    sys.exit(run(main))
