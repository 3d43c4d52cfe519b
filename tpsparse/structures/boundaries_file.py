"""Predicted boundaries of many instances in one JSON file, for whoever samples, compares or draws them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError
from .files import write_json

FORMAT = 1


@dataclass
class Boundaries:
    """What one method has found in a set of instances.

    Args:
        method: Who found them, for legends.
        instances: Key of each instance to its number of frames and boundaries (B,) int64: positions counted from 0 of
            the first frame of each sub-action but the first, strictly rising, each in 1 ... frames - 1.
    """

    method: str = ""
    instances: dict[str, tuple[int, np.ndarray]] = field(default_factory=dict)

    def add(self, key: str, num_frames: int, boundaries: np.ndarray) -> None:
        """Put an instance in.

        Raises:
            ValueError: If the boundaries are out of order or outside the instance.
        """
        found = np.asarray(boundaries, dtype=np.int64).reshape(-1)
        edges = np.concatenate([[0], found, [num_frames]])
        if (np.diff(edges) <= 0).any():
            raise ValueError(f"boundaries {found.tolist()} of {num_frames} frames are out of order or outside")
        self.instances[key] = (int(num_frames), found)

    def save(self, path: str | Path) -> None:
        """Write the file whole."""
        listed = {
            key: dict(num_frames=num_frames, boundaries=found.tolist())
            for key, (num_frames, found) in sorted(self.instances.items())
        }
        write_json(path, dict(format=FORMAT, method=self.method, instances=listed))

    @classmethod
    def load(cls, path: str | Path) -> Boundaries:
        """Read a file that :meth:`save` wrote.

        Raises:
            InputError: If it is missing, broken, or of another format.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path} is missing: write it with the test of a config of configs/temporal_parsing")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise InputError(f"{path} has format {content['format']}, this version reads {FORMAT}: write it again")
            return cls._from(content)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise InputError(f"{path} holds no boundaries ({type(error).__name__}: {error}): write it again") from error

    @classmethod
    def _from(cls, content: Mapping) -> Boundaries:
        found = cls(str(content["method"]))
        for key, instance in content["instances"].items():
            numbers = [instance["num_frames"], *instance["boundaries"]]
            if any(type(number) is not int for number in numbers):
                raise TypeError(f"{key} has {numbers}, not whole numbers alone")
            found.add(key, numbers[0], np.array(numbers[1:], dtype=np.int64))
        return found
