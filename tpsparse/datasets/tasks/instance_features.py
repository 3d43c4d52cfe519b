"""Files of frame features of instances: what their headers tell before a run, and reading one. T frames, D channels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ...errors import InputError
from ...structures.features_file import FEATURES
from ...structures.files import MADE_BY

READABLE = frozenset(("F16", "F32", "F64", "BOOL", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"))
"""Types of the safetensors format that numpy has."""

AGAIN = "remove it and run tools/test.py with the feature config again"
CUT = "cut the instance again, then write its features again"
ENCODE = "run tools/test.py with the feature config for this split again"
WIDTH = "write all features of the folder with one feature config"


@dataclass(frozen=True)
class FileCheck:
    """What the header of a file tells.

    Args:
        width: D, if the file is usable.
        fault: What is wrong with it, empty if nothing is.
        remedy: What the user can do about it.
    """

    width: int = 0
    fault: str = ""
    remedy: str = ""


def check_files(folder: Path, files: Iterable[tuple[Path, int]]) -> list[FileCheck]:
    """Compare the files of a folder of features with the annotation and with each other; no features are read.

    Args:
        folder: Where ``made_by.json`` says which encoder was there last. Without it, or without a file's own mark of
            its encoder, the features are the user's own and may be of any.
        files: Each with T, the frames that are annotated.

    Returns:
        One for each file. Of usable files of several widths D, those of the most frequent one stay usable, of equally
        frequent ones the first.
    """
    encoder = _stamp_of(folder)
    checks = [_check_file(folder, path, num_frames, encoder) for path, num_frames in files]
    widths = Counter(check.width for check in checks if not check.fault)
    if len(widths) < 2:
        return checks
    usual = widths.most_common(1)[0][0]
    told = f"channels, and most of {folder} have {usual}"
    return [
        check if check.fault or check.width == usual else FileCheck(0, f"has features of {check.width} {told}", WIDTH)
        for check in checks
    ]


def _check_file(folder: Path, path: Path, num_frames: int, encoder: str | None) -> FileCheck:
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.get_slice(FEATURES)
            shape, kind = tuple(header.get_shape()), header.get_dtype()
            own = (file.metadata() or {}).get("encoder")
    except FileNotFoundError:
        return FileCheck(0, "is missing", f"write {folder} with tools/test.py and a config of configs/frame_features")
    except (SafetensorError, OSError) as error:
        return FileCheck(0, f"holds no features ({error})", AGAIN)
    fault, remedy = _fault_of_shape(shape, num_frames)
    if not fault and kind not in READABLE:
        fault, remedy = f"has features of type {kind}", "save them as float16"
    if not fault and None not in (own, encoder) and own != encoder:
        fault, remedy = f"is of encoder {own}, and {MADE_BY} of its folder names {encoder}", ENCODE
    return FileCheck(0, fault, remedy) if fault else FileCheck(shape[1])


def _fault_of_shape(shape: tuple[int, ...], num_frames: int) -> tuple[str, str]:
    """What is wrong with the shape of an instance's features and what to do; empty if nothing is."""
    if len(shape) != 2 or 0 in shape:
        return f"has features of shape {shape}, expected frames by channels", AGAIN
    if shape[0] != num_frames:
        return f"has features of {shape[0]} frames, not of {num_frames}", CUT
    return "", ""


def _stamp_of(folder: Path) -> str | None:
    """The encoder that was there last; None if nothing tells."""
    try:
        return json.loads((folder / MADE_BY).read_text(encoding="utf-8")).get("stamp")
    except (OSError, ValueError, AttributeError):
        return None


def read_features(path: Path, num_frames: int) -> np.ndarray:
    """Features (T, D) float32 of an instance of ``num_frames`` T.

    Raises:
        InputError: If the file is missing or broken, or its features are not T rows of finite numbers.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: run tools/test.py with the feature config again")
    try:
        with safe_open(path, framework="numpy") as file:
            features = file.get_tensor(FEATURES).astype(np.float32)
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} holds no features ({error}): {AGAIN}") from error
    fault, remedy = _fault_of_shape(features.shape, num_frames)
    if not fault and not np.isfinite(features).all():
        fault, remedy = "has features that are not finite", AGAIN
    if fault:
        raise InputError(f"{path} {fault}: {remedy}")
    return features
