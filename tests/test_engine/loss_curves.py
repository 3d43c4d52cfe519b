"""Train configs and write what each iteration logs; run by test_several_processes.py.

    python tests/test_engine/loss_curves.py FOLDER ...

A folder is named after the number of processes that train its configs, one after the other. Each process writes
``<config>_<rank>.json`` into it: the logged losses, the samples of each batch and a digest of the weights at the end.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from tpsparse import apis
from tpsparse.engine import load_config
from tpsparse.registry import HOOKS, TRANSFORMS


@HOOKS.register_module()
class FreezeNormHook(Hook):
    """No batch norm takes statistics of its batch."""

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


@HOOKS.register_module()
class BatchHook(Hook):
    """Note the samples of each batch, by the sum of their pixels or features, which no two share, and its labels."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.labels: list[int] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        inputs = data_batch["inputs"]
        samples = zip(*inputs.values()) if isinstance(inputs, dict) else inputs
        self.batches.append([_sum(sample) for sample in samples])
        self.labels.append(sum(_labels(sample) for sample in data_batch["data_samples"]))


@TRANSFORMS.register_module()
class HidePartsOfSome:
    """Take the part boxes and states of one video's crops away."""

    def __init__(self, video: str) -> None:
        self.video = video

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        if results["video"] == self.video:
            results["part_boxes"] = np.full_like(results["part_boxes"], np.nan)
            results["part_states"] = np.full_like(results["part_states"], -1)
        return results


def _labels(sample: Any) -> int:
    """Annotated persons of a frame, or labelled parts of a crop; 1 where a sample is always labelled."""
    if "gt_instances" in sample:
        return len(sample.gt_instances)
    return int((sample.part_states >= 0).sum()) if "part_states" in sample else 1


def _sum(sample: Any) -> float:
    if isinstance(sample, dict):
        return sum(_sum(value) for value in sample.values())
    if isinstance(sample, list | tuple):
        return sum(_sum(value) for value in sample)
    return float(torch.as_tensor(sample).double().sum())


def train(rank: int, folder: Path, port: int) -> None:
    """Be one of the processes that train the configs of a folder, which is named after their number."""
    processes = int(folder.name)
    place = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=processes, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    os.environ.update({name: str(value) for name, value in place.items()})
    for path in sorted(folder.glob("*.py")):
        cfg = load_config(path, work_dir=folder / path.stem)
        runner = apis.train(cfg, launcher="none" if processes == 1 else "pytorch")
        scalars = runner.message_hub.log_scalars
        losses = {name: list(map(float, values.data[0])) for name, values in scalars.items() if name != "train/time"}
        [hook] = [hook for hook in runner.hooks if isinstance(hook, BatchHook)]
        state = b"".join(p.detach().numpy().tobytes() for p in runner.model.parameters())
        told = dict(losses=losses, batches=hook.batches, labels=hook.labels, weights=hashlib.sha256(state).hexdigest())
        (folder / f"{path.stem}_{rank}.json").write_text(json.dumps(told))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main(folders: list[str]) -> int:
    # What takes longest is to import everything, which is done once: the processes are copies of this one.
    context = multiprocessing.get_context("fork")
    for folder in map(Path, folders):
        port = free_port()
        processes = [context.Process(target=train, args=(rank, folder, port)) for rank in range(int(folder.name))]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
