"""What runs leave, in a form that can be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tpsparse.datasets.video import Video
from tpsparse.parsing.network import read_checkpoint

# Of a checkpoint's meta: when, where and by whom it was written.
PLACED = ("time", "experiment_name", "cfg")
TIMES = ("time", "data_time", "data_share")


def files(folder: Path) -> dict[str, bytes | int]:
    """The content of all files; of videos the number of frames, since the encoder does not always give the same bytes.

    Raises:
        InputError: If a video is not whole.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _content(path) for path in paths}


def _content(path: Path) -> bytes | int:
    return Video(path).num_frames if path.suffix == ".mp4" else path.read_bytes()


def trained(folder: Path) -> dict[str, Any]:
    """What a training has left: its files but the logs, and the last checkpoint without what says when and where."""
    last = (folder / "last_checkpoint").read_text()
    checkpoint = read_checkpoint(str(folder / Path(last).name))
    kept = {name: checkpoint[name] for name in ("state_dict", "optimizer", "param_schedulers")}
    meta = {key: value for key, value in checkpoint["meta"].items() if key not in PLACED}
    names = sorted(path.name for path in folder.iterdir() if not path.is_dir())
    return dict(kept, meta=meta, files=names, last=Path(last).name)


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names under which two results are not the same, bit for bit."""
    return [name for name in one.keys() | other.keys() if not same(one.get(name), other.get(name))]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, bit for bit, through dicts, lists and tensors."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return isinstance(other, (list, tuple)) and len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))


def told_steps(folder: Path) -> list[dict[str, float]]:
    """Each logged iteration but its times, those of all starts, in the order in which they were told."""
    logs = sorted(folder.glob("*/vis_data/scalars.json"))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]
