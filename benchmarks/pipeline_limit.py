"""The least that parsing a clip can cost: the forward passes of its networks, on inputs that are ready.

A run of the system is watched: what each network is called with, the normalised tensors of a batch, is kept.
Afterwards the networks are called with it again, and nothing else is done. Batches, precision and layers are the run's
own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

CALLED = ("forward", "predict_keypoints")
"""Methods by which a network predicts."""


class ForwardPasses:
    """The calls of networks in a run.

    Args:
        networks: Name to a loaded network.
    """

    def __init__(self, networks: Mapping[str, Any]) -> None:
        self.models = {name: network.model for name, network in networks.items()}
        self.calls: dict[str, list[Callable[[], Any]]] = {}

    def record(self, run: Callable[[], Any]) -> Any:
        """Keep what the networks are called with while something runs; what that gives.

        Raises:
            RuntimeError: If a network was not called.
        """
        self.calls = {name: [] for name in self.models}
        with ExitStack() as stack:
            for name, model in self.models.items():
                for method in (each for each in CALLED if hasattr(model, each)):
                    stack.enter_context(_watched(model, method, self.calls[name]))
            result = run()
        idle = [name for name, calls in self.calls.items() if not calls]
        if idle:
            raise RuntimeError(f"{', '.join(idle)} was not called by {' or '.join(CALLED)}")
        return result

    @torch.inference_mode()
    def run(self) -> dict[str, float]:
        """Seconds that each network's forward passes take, from the first batch to the results of the last."""
        spent = {}
        for name, calls in self.calls.items():
            start = time.perf_counter()
            for call in calls:
                call()
            spent[name] = time.perf_counter() - start
        return spent

    def operators(self, count: int) -> list[dict[str, Any]]:
        """The operators in which the forward passes spend most time, with the profiler's own cost."""
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
            self.run()
        rows = [(each.self_cpu_time_total / 1e6, each.count, each.key) for each in profiler.key_averages()]
        return [{"operator": key, "calls": calls, "own seconds": own} for own, calls, key in sorted(rows)[::-1][:count]]


@contextmanager
def _watched(model: torch.nn.Module, method: str, calls: list[Callable[[], Any]]) -> Iterator[None]:
    """Keep every call of a method of a network, ready to be repeated."""
    own = getattr(model, method)

    def watched(inputs: Tensor, data_samples: list[Any], **kwargs: Any) -> Any:
        # Results are written into the samples, and the next batch may use the memory of this one.
        kept = partial(own, inputs.clone(), copy.deepcopy(data_samples), **kwargs)
        calls.append(kept)
        return own(inputs, data_samples, **kwargs)

    before = model.__dict__.get(method)
    setattr(model, method, watched)
    try:
        yield
    finally:
        delattr(model, method)
        if before is not None:
            setattr(model, method, before)
