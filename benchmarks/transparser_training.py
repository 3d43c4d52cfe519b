"""What training TransParser costs a frame, from 50 to 5,000 frames an instance: processor time and memory.

    python benchmarks/transparser_training.py [--quick] [--rounds 3] [--json FILE]

Forward and backward pass of a batch of 5,000 frames, cut into instances of one length, by the networks of the full-size
and of the quick config; their local loss compares every two frames of an instance. The lengths take turns, on one core
by processor time. Memory is that of one step on a single instance, in a process of its own: how much the peak of its
resident memory grows. The longest length there is that of TAPOS's longest instance, 418 s at 30 frames a second.
Goals: time a frame that does not depend on the length, and memory that is linear in it.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from measure import MB, REPOSITORY, in_turns, median_ratio, parser, report

from tpsparse.cli import DONE, run

CONFIGS = {
    "full size": REPOSITORY / "configs/temporal_parsing/transparser_2xsps_1xb8_tapos.py",
    "quick": REPOSITORY / "configs/quick/temporal_parsing/transparser_2xsps_1xb8_synthetic.py",
}
BATCH = 5000
LENGTHS = (50, 150, 500, 1500, 5000)
REFERENCE = 500
MEMORY_LENGTHS = (500, 1500, 5000, 12_540)
SUB_ACTION = 80
"""Frames of a sub-action, about those of TAPOS: 9.4 s in 3.4 sub-actions at 30 frames a second."""
ACTIONS = 21
QUICK_BATCH, QUICK_LENGTHS, QUICK_REFERENCE = 200, (50, 200), 50


def network(config: Path) -> Any:
    """A config's network with random weights, for TAPOS's number of actions."""
    import torch
    from mmengine.registry import init_default_scope

    from tpsparse.engine import load_config
    from tpsparse.registry import MODELS, SCOPE
    from tpsparse.taxonomy import Taxonomy

    torch.set_num_threads(1)
    torch.manual_seed(0)
    init_default_scope(SCOPE)
    names = Taxonomy(parts=(), states=(), actions=tuple(f"action {number}" for number in range(ACTIONS)))
    return MODELS.build(load_config(config, taxonomy=names).model).train()


def batch(channels: int, length: int, frames: int) -> tuple[list[Any], list[Any]]:
    """Instances of ``length`` frames, ``frames`` in all: features of noise, and samples with even sub-actions."""
    import torch

    from tpsparse.structures.temporal import TemporalSample

    generator = torch.Generator().manual_seed(0)
    boundaries = torch.arange(SUB_ACTION, length, SUB_ACTION) if length > SUB_ACTION else torch.tensor([length // 2])
    count = frames // length
    inputs = [torch.randn(length, channels, generator=generator) for _ in range(count)]
    samples = [TemporalSample.of(f"{number}/drawn", length, boundaries, label=0) for number in range(count)]
    return inputs, samples


def step(model: Any, inputs: Sequence[Any], samples: Sequence[Any]) -> float:
    """Processor time of the forward and the backward pass of a batch."""
    model.zero_grad(set_to_none=True)
    start = time.process_time()
    losses = model(inputs, samples, mode="loss")
    sum(value for name, value in losses.items() if "loss" in name).backward()
    return time.process_time() - start


def times(model: Any, lengths: Sequence[int], frames: int, rounds: int) -> dict[int, list[float]]:
    """Microseconds a frame of each length, the lengths by turns, after one step that is not counted."""
    batches = {length: batch(model.channels, length, frames) for length in lengths}
    step(model, *batches[lengths[0]])
    peers: dict[str, Callable[[], float]] = {str(length): partial(step, model, *batches[length]) for length in lengths}
    results = in_turns(peers, rounds)
    return {int(length): [1e6 * seconds / frames for seconds in each] for length, each in results.items()}


def memory(model: Any, length: int) -> dict[str, int]:
    """Bytes at the peak of one step on an instance of this length, and by which it raises those of before.

    It runs in a child of this process, which must not have run a backward pass itself: torch cannot fork then.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_measure_memory, args=(model, length, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError as error:
        raise RuntimeError(f"the step on {length} frames has ended without a result") from error
    finally:
        child.join()


def _measure_memory(model: Any, length: int, sender: Connection) -> None:
    # A step on a short instance goes before, so that gradients and libraries are in place.
    step(model, *batch(model.channels, SUB_ACTION, SUB_ACTION))
    instance = batch(model.channels, length, length)
    ctypes.CDLL(None).malloc_trim(0)  # else the step is given what others have freed, and seems to need less
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that since now
    before = _status_bytes("VmRSS")
    step(model, *instance)
    peak = _status_bytes("VmHWM")
    sender.send({"peak": peak, "grown": peak - before})


def _status_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def time_rows(size: str, results: Mapping[int, Sequence[float]], reference: int) -> list[dict[str, Any]]:
    """A row a length; ratios to the reference are medians of the rounds'."""
    column = f"to {reference} frames"
    return [
        {
            "network": size,
            "frames an instance": length,
            "us a frame": statistics.median(each),
            column: median_ratio(each, results[reference]),
        }
        for length, each in results.items()
    ]


def memory_rows(size: str, results: Mapping[int, Mapping[str, int]]) -> list[dict[str, Any]]:
    """A row a length."""
    return [
        {
            "network": size,
            "frames an instance": length,
            "peak MB": each["peak"] / MB,
            "of the step MB": each["grown"] / MB,
            "KB a frame": each["grown"] / 1e3 / length,
        }
        for length, each in results.items()
    ]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parser(__doc__).parse_args(argv)
    frames, lengths, reference = (
        (QUICK_BATCH, QUICK_LENGTHS, QUICK_REFERENCE) if args.quick else (BATCH, LENGTHS, REFERENCE)
    )
    networks = {size: network(config) for size, config in CONFIGS.items() if size == "quick" or not args.quick}
    held = {
        size: {length: memory(model, length) for length in (lengths if args.quick else MEMORY_LENGTHS)}
        for size, model in networks.items()
    }
    rounds = 1 if args.quick else args.rounds
    spent = {size: times(model, lengths, frames, rounds) for size, model in networks.items()}
    tables = {
        "Time of training": [row for size, each in spent.items() for row in time_rows(size, each, reference)],
        "Memory of training": [row for size, each in held.items() for row in memory_rows(size, each)],
    }
    report("transparser_training", tables, file=args.json, batch=frames, rounds=spent, memory=held)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
