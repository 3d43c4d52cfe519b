"""The record that flows through a parsing run.

Shapes: T frames, P persons in a frame, K parts, J = 17 COCO keypoints, S states, A actions, D feature channels.
Boxes are float32 ``xyxy`` in absolute pixels of the decoded frame, continuous coordinates. Frames are numbered
from 1, as in the challenge's files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..errors import InputError
from .boxes import is_present
from .files import atomic_write
from .objects import FrameObjects, join_objects, split_objects
from .segments import SegmentScores

FORMAT_VERSION = "1"
# One row a person; a field is in every frame of a saved parse or in none.
_PERSON_FIELDS = ("boxes", "scores", "keypoints", "part_boxes", "part_scores", "state_scores", "part_states")
_HEADER = ("video", "size", "num_frames", "fps", "error")


@dataclass
class FrameParse:
    """What is known of one frame; a field that no stage has filled is None.

    Args:
        frame_index: Frame number, from 1.
        boxes: (P, 4) person boxes.
        scores: (P,) person scores in [0, 1]; ones if not given.
        keypoints: (P, J, 3) x, y in pixels and confidence.
        part_boxes: (P, K, 4), four NaN for an absent part.
        part_scores: (P, K) in [0, 1].
        state_scores: (P, K, S) probabilities of each part's states.
        part_states: (P, K) state ids, -1 for an absent part.
        objects: The frame's objects; in every frame of a saved parse or in none.
        features: Name to (D,), one vector for the frame.
        person_features: Name to (P, D).

    Raises:
        ValueError: If the frame number is below 1 or a shape does not fit; the message has both shapes.
    """

    frame_index: int
    boxes: np.ndarray
    scores: np.ndarray = None  # type: ignore[assignment]  # never None once made
    keypoints: np.ndarray | None = None
    part_boxes: np.ndarray | None = None
    part_scores: np.ndarray | None = None
    state_scores: np.ndarray | None = None
    part_states: np.ndarray | None = None
    objects: FrameObjects | None = None
    features: dict[str, np.ndarray] = field(default_factory=dict)
    person_features: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.frame_index < 1:
            raise ValueError(f"frame_index is {self.frame_index}; frames are numbered from 1")
        self.boxes = np.asarray(self.boxes, dtype=np.float32)
        if self.boxes.shape == (0,):  # an empty list of boxes
            self.boxes = self.boxes.reshape(0, 4)
        if self.scores is None:
            self.scores = np.ones(len(self.boxes), dtype=np.float32)
        self.check()

    def __len__(self) -> int:
        """Number of persons."""
        return len(self.boxes)

    def check(self) -> None:
        """Refuse fields whose shapes do not fit each other; stages call it after they have written."""
        persons = len(self)
        parts = self._num_parts()
        expected: dict[str, tuple[int | None, ...]] = {
            "boxes": (persons, 4),
            "scores": (persons,),
            "keypoints": (persons, None, 3),
            "part_boxes": (persons, parts, 4),
            "part_scores": (persons, parts),
            "state_scores": (persons, parts, None),
            "part_states": (persons, parts),
        }
        for name, shape in expected.items():
            _check_shape(name, getattr(self, name), shape)
        for name, array in self.person_features.items():
            _check_shape(f"person_features[{name!r}]", array, (persons, None))
        for name, array in self.features.items():
            _check_shape(f"features[{name!r}]", array, (None,))

    def _num_parts(self) -> int | None:
        """The K of the first field that has one; the others must have the same."""
        of_parts = (self.part_boxes, self.part_scores, self.state_scores, self.part_states)
        return next((np.shape(array)[1] for array in of_parts if array is not None and np.ndim(array) >= 2), None)

    def take(self, persons: np.ndarray) -> FrameParse:
        """The same frame with only ``persons`` (indices or a mask), in that order."""
        given = {name: getattr(self, name) for name in _PERSON_FIELDS}
        rows: dict[str, Any] = {name: None if array is None else array[persons] for name, array in given.items()}
        return FrameParse(
            frame_index=self.frame_index,
            objects=self.objects,
            features=dict(self.features),
            person_features={name: array[persons] for name, array in self.person_features.items()},
            **rows,
        )

    def states(self) -> np.ndarray:
        """(P, K) state ids: the given ones, or the most probable; -1 for an absent part or a NaN score.

        Raises:
            ValueError: If the frame has neither states nor their scores.
        """
        if self.part_states is not None:
            return self.part_states
        if self.state_scores is None:
            raise ValueError(f"frame {self.frame_index} has neither part_states nor state_scores")
        present = np.isfinite(self.state_scores).all(axis=2)
        if self.part_boxes is not None:
            present &= is_present(self.part_boxes)
        return np.where(present, self.state_scores.argmax(axis=2), -1)


@dataclass
class VideoParse:
    """What is known of one video.

    Args:
        video: Name of the video, its file name without extension.
        size: (height, width) of the decoded frames.
        num_frames: Frames of the whole video, parsed or not.
        fps: Frames a second.
        frames: Parsed frames in rising order.
        action_scores: Source to (A,) probabilities; the system's own are under ``"action"``.
        features: Name to (D,), one vector for the video.
        segments: Name to what a recognizer of part states says of the video's segments.
        error: Why the video could not be parsed; its record is then empty.
    """

    video: str
    size: tuple[int, int] = (0, 0)
    num_frames: int = 0
    fps: float = 0.0
    frames: list[FrameParse] = field(default_factory=list)
    action_scores: dict[str, np.ndarray] = field(default_factory=dict)
    features: dict[str, np.ndarray] = field(default_factory=dict)
    segments: dict[str, SegmentScores] = field(default_factory=dict)
    error: str | None = None

    def __post_init__(self) -> None:
        # NumPy's numbers come from shapes and cannot go into the saved header.
        height, width = self.size
        self.size, self.num_frames, self.fps = (int(height), int(width)), int(self.num_frames), float(self.fps)
        numbers = self.frame_indices
        if sorted(set(numbers)) != numbers:
            raise ValueError(f"frames of {self.video} are not in rising order: {numbers}")

    @property
    def frame_indices(self) -> list[int]:
        """Numbers of the parsed frames."""
        return [frame.frame_index for frame in self.frames]

    def action(self) -> int | None:
        """Id of the system's action, or None where there is none."""
        scores = self.action_scores.get("action")
        return None if scores is None else int(np.argmax(scores))

    def save(self, path: str | Path, metadata: dict[str, str] | None = None) -> None:
        """Write one safetensors file, moved into place when whole.

        Args:
            path: Where to; the folder is made if need be.
            metadata: Strings kept beside the arrays, such as the fingerprint of the run.

        Raises:
            ValueError: If some frames lack a field that others have; a frame without persons may lack any field of
                persons, and has it with no rows when read back.
            UnwritableError: If there is no room left.
        """
        header = {name: getattr(self, name) for name in _HEADER}
        info = {**(metadata or {}), "format": FORMAT_VERSION, "header": json.dumps(header)}
        arrays = {name: np.ascontiguousarray(array) for name, array in self._arrays().items()}
        with atomic_write(path) as partial:
            with _system_errors():
                save_file(arrays, partial, info)
            _sort_metadata(partial)

    @classmethod
    def load(cls, path: str | Path) -> VideoParse:
        """Read back what :meth:`save` wrote.

        Raises:
            InputError: If the file is missing, broken, or of another format version.
        """
        info = read_metadata(path)
        if info.get("format") != FORMAT_VERSION:
            raise InputError(f"{path} has format {info.get('format')}, not {FORMAT_VERSION}: parse the video again")
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        try:
            return cls(
                frames=_split_frames(arrays),
                action_scores=_with_prefix(arrays, "action_scores/"),
                features=_with_prefix(arrays, "features/"),
                segments=_join_segments(arrays),
                **json.loads(info["header"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{path} is damaged ({error}): parse the video again") from error

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {f"action_scores/{name}": array for name, array in self.action_scores.items()}
        arrays.update({f"features/{name}": array for name, array in self.features.items()})
        arrays.update({f"segment_frames/{name}": found.frames for name, found in self.segments.items()})
        arrays.update({f"segment_scores/{name}": found.scores for name, found in self.segments.items()})
        arrays["frame_index"] = np.array(self.frame_indices, dtype=np.int64)
        arrays["num_persons"] = np.array([len(frame) for frame in self.frames], dtype=np.int64)
        for name in _PERSON_FIELDS:
            rows = {frame.frame_index: getattr(frame, name) for frame in self.frames}
            arrays.update(self._joined(f"frames/{name}", rows))
        for name in sorted({name for frame in self.frames for name in frame.person_features}):
            rows = {frame.frame_index: frame.person_features.get(name) for frame in self.frames}
            arrays.update(self._joined(f"person_features/{name}", rows))
        for name in sorted({name for frame in self.frames for name in frame.features}):
            lacking = [frame.frame_index for frame in self.frames if name not in frame.features]
            if lacking:
                raise ValueError(f"{self.video}: features[{name!r}] is missing in frames {lacking}")
            arrays[f"frame_features/{name}"] = np.stack([frame.features[name] for frame in self.frames])
        return {**arrays, **self._joined_objects()}

    def _joined_objects(self) -> dict[str, np.ndarray]:
        try:
            return join_objects([frame.objects for frame in self.frames])
        except ValueError as error:
            raise ValueError(f"{self.video}: {error}") from error

    def _joined(self, name: str, rows: dict[int, np.ndarray | None]) -> dict[str, np.ndarray]:
        """The rows of all frames under one name; nothing if no frame has the field.

        Stages pass over frames without persons, so there a missing field means no rows.
        """
        known = [array for array in rows.values() if array is not None]
        if not known:
            return {}
        lacking = [f.frame_index for f in self.frames if len(f) and rows[f.frame_index] is None]
        if lacking:
            raise ValueError(f"{self.video}: {name} is missing in frames {lacking} and present in others")
        # A frame without persons may have been given with other inner sizes, so it adds no rows of its own.
        full = [array for array in known if len(array)] or known[:1]
        return {name: np.concatenate(full)}


@contextmanager
def _system_errors() -> Iterator[None]:
    """Raise the system's own error, such as that of a full disk, of which safetensors tells in words alone."""
    try:
        yield
    except SafetensorError as error:
        found = re.search(r"I/O error: (.+) \(os error (\d+)\)", str(error))
        if found is None:
            raise
        raise OSError(int(found[2]), found[1]) from error


def _sort_metadata(path: Path) -> None:
    """Put the strings of a safetensors file in order; the library's own changes from run to run.

    So equal records are equal files. The format is the length of a JSON header in eight bytes, little end first, the
    header, filled up with spaces, and the arrays.
    """
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:  # else its JSON is not the library's: the file is as good, in another order
            file.seek(8)
            file.write(text.ljust(length))


def read_metadata(path: str | Path) -> dict[str, str]:
    """The strings stored beside the arrays of a saved parse, without reading the arrays.

    Raises:
        InputError: If the file is missing or is not a safetensors file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as a saved parse ({error}): parse the video again") from error


def _check_shape(name: str, array: Any, expected: tuple[int | None, ...]) -> None:
    if array is None:
        return
    actual = np.shape(array)
    fits = len(actual) == len(expected) and all(e is None or e == a for a, e in zip(actual, expected))
    if not fits:
        wanted = ", ".join("any" if e is None else str(e) for e in expected)
        raise ValueError(f"{name} has shape {tuple(actual)}, expected ({wanted})")


def _with_prefix(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _join_segments(arrays: dict[str, np.ndarray]) -> dict[str, SegmentScores]:
    frames, scores = (_with_prefix(arrays, f"segment_{kind}/") for kind in ("frames", "scores"))
    return {name: SegmentScores(frames[name], scores[name]) for name in sorted(frames.keys() | scores.keys())}


def _split_frames(arrays: dict[str, np.ndarray]) -> list[FrameParse]:
    ends = np.cumsum(arrays["num_persons"])[:-1]
    fields = {name: np.split(rows, ends) for name, rows in _with_prefix(arrays, "frames/").items()}
    person = {name: np.split(rows, ends) for name, rows in _with_prefix(arrays, "person_features/").items()}
    frame = _with_prefix(arrays, "frame_features/")
    objects = split_objects(arrays, len(arrays["frame_index"]))
    return [
        FrameParse(
            frame_index=int(number),
            objects=objects[i],
            features={name: rows[i] for name, rows in frame.items()},
            person_features={name: rows[i] for name, rows in person.items()},
            **{name: rows[i] for name, rows in fields.items()},
        )
        for i, number in enumerate(arrays["frame_index"])
    ]
