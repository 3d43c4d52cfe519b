"""Frame features of one video or instance in one file, and what a run tells of them. Shapes: T frames, D channels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .files import atomic_write, writing_told

FEATURES = "features"
"""Name of the array in the file."""


@dataclass(frozen=True)
class EncodedVideo:
    """What became of a video whose frames were to be encoded.

    Args:
        key: Of the instance, or the name of the video.
        found: Whether its features were there already, made by the same encoder from the same video.
        error: Why it could not be encoded.
    """

    key: str
    found: bool = False
    error: str | None = None


def save_features(path: str | Path, features: np.ndarray, metadata: dict[str, str]) -> None:
    """Write features (T, D) as float16 to a safetensors file, moved into place when whole.

    Args:
        path: Where to; folders are made if need be.
        features: Finite as float16.
        metadata: Strings kept beside them.

    Raises:
        InputError: If there is no room left.
    """
    content = save({FEATURES: np.ascontiguousarray(features, dtype=np.float16)}, metadata)
    with writing_told(path), atomic_write(path) as partial:
        partial.write_bytes(content)  # the library's own writer hides what the system says of a full disk


def features_metadata(path: str | Path) -> dict[str, str]:
    """The strings in a file of features; none where the file is missing or broken."""
    try:
        with safe_open(path, framework="numpy") as file:
            return (file.metadata() or {}) if list(file.keys()) == [FEATURES] else {}
    except (SafetensorError, OSError):
        return {}
