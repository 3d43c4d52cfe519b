"""A small data set in TAPOS's annotation format, with features whose sub-actions can be told apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tiny
import torch
from safetensors.torch import save_file

from tpsparse.datasets.instances import open_instances
from tpsparse.datasets.instances.layout import instance_file
from tpsparse.structures.boundaries_file import Boundaries

CHANNELS = 8
ACTIONS = ("diving", "hurdles (men)", "Dreisprung é")
FPS = 25


def write_instances(root: Path, *, train: int = 6, val: int = 3, seed: int = 0, features: str = "tiny") -> Path:
    """Write annotations and features of ``train`` and ``val`` instances; the data set's root.

    Every instance has 2 to 4 sub-actions of 8 to 20 frames. A frame's features are the unit vector of its sub-action's
    kind with noise of 0.1, so that neighbouring sub-actions differ and those of one kind are alike.
    """
    generator = np.random.default_rng(seed)
    annotation: dict[str, dict] = {}
    for number in range(train + val):
        subset = "train" if number < train else "val"
        lengths = generator.integers(8, 21, size=generator.integers(2, 5))
        substages = [0, *np.cumsum(lengths).tolist()]
        total = substages[-1]
        kinds = (number + np.arange(len(lengths)) * 3) % CHANNELS
        start = 10 * number
        end_ms = round((start + total / FPS) * 1000)
        name = f"s00001_{start}_0_{end_ms // 1000}_{end_ms % 1000:03d}"
        video = f"video-{number}_é"
        annotation[video] = {
            name: dict(
                subset=subset,
                shot_timestamps=[5.0, 500.0],
                total_frames=total,
                substages=substages,
                action=ACTIONS[number % len(ACTIONS)],
            )
        }
        frames = np.eye(CHANNELS)[np.repeat(kinds, lengths)] + generator.normal(0, 0.1, (total, CHANNELS))
        path = root / "features" / features / video / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"features": torch.tensor(frames, dtype=torch.float16)}, path, dict(key=f"{video}/{name}"))
    root.mkdir(parents=True, exist_ok=True)
    (root / "tapos_annotation.json").write_text(json.dumps(annotation), encoding="utf-8")
    return root


def write_cut_instances(root: Path) -> Path:
    """As :func:`write_instances`, few, with a video of each, and in ``boundaries`` what a parser has found of them."""
    write_instances(root, train=3, val=1)
    for split, name in dict(train="train", val="test").items():
        found = Boundaries("half")
        for instance in open_instances(root, split).instances:
            length = instance.num_frames
            tiny.encode(instance_file(root, instance.key), [np.full((64, 96, 3), i, np.uint8) for i in range(length)])
            found.add(instance.key, length, np.array([length // 2]))
        found.save(root / "boundaries" / f"{name}.json")
    return root
