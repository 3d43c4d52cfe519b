"""What frame stages know of some neighbouring frames, in columns of tensors.

Shapes: T frames of H x W pixels, N persons of all of them, frame after frame, O objects likewise, K parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..structures import FrameObjects, FrameParse

PERSON_FIELDS = ("boxes", "scores", "keypoints", "part_boxes", "part_scores", "state_scores", "part_states")
"""Fields of a :class:`FrameParse` with a row a person; in a window they stand beside the features."""
OBJECT_FIELDS = ("boxes", "scores", "labels")


@dataclass
class Window:
    """Some frames of a video on the device, and what is known of them: a stage takes columns and adds columns.

    Nothing in it is a list by frames, so that a stage's batch may span frames, and columns stay on the device between
    stages (OpenCV, which cuts out persons, is told their boxes on the processor): :meth:`write` puts the columns into
    the record behind the last of them.

    Args:
        images: (T, H, W, 3) uint8 RGB.
        numbers: The frames' numbers, from 1, rising.
        owner: (N,) int64, the row of each person's frame; rising.
        persons: Field of :class:`FrameParse` to its rows (N, ...); there are always ``boxes`` and ``scores``.
        person_features: Name to (N, D).
        features: Name to (T, D).
        object_owner: (O,) int64, the row of each object's frame, rising; None where no stage has looked for objects.
        objects: Field of :class:`FrameObjects` to its rows (O, ...).
    """

    images: Tensor
    numbers: list[int]
    owner: Tensor
    persons: dict[str, Tensor]
    person_features: dict[str, Tensor] = field(default_factory=dict)
    features: dict[str, Tensor] = field(default_factory=dict)
    object_owner: Tensor | None = None
    objects: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, images: Tensor | np.ndarray, frames: Sequence[FrameParse]) -> Window:
        """From pictures (T, H, W, 3) and the records of the same frames.

        A field that no frame has is left out.
        """
        images = torch.as_tensor(images)
        device = images.device
        window = cls(images, [frame.frame_index for frame in frames], _owners(frames, device), {})
        for name in PERSON_FIELDS:
            window._take(window.persons, name, [getattr(frame, name) for frame in frames])
        window.persons.setdefault("boxes", torch.zeros(0, 4, device=device))
        window.persons.setdefault("scores", torch.zeros(0, device=device))
        for name in _names(frame.person_features for frame in frames):
            window._take(window.person_features, name, [frame.person_features.get(name) for frame in frames])
        for name in _names(frame.features for frame in frames):
            if all(name in frame.features for frame in frames):
                window.features[name] = _stacked([frame.features[name] for frame in frames], device)
        window._take_objects([frame.objects for frame in frames])
        return window

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.images)

    @property
    def num_persons(self) -> int:
        """N."""
        return len(self.owner)

    @property
    def counts(self) -> list[int]:
        """Persons of each frame."""
        return torch.bincount(self.owner, minlength=len(self)).tolist()

    def frame_batches(self, size: int) -> Iterator[slice]:
        """Consecutive frames, at most ``size`` at a time."""
        return _slices(len(self), size)

    def person_batches(self, size: int) -> Iterator[slice]:
        """Consecutive persons, across frames, at most ``size`` at a time."""
        return _slices(self.num_persons, size)

    def set_persons(self, boxes: Sequence[Tensor], scores: Sequence[Tensor]) -> None:
        """Other persons: each frame's boxes (P, 4) and scores (P,). What was known of the persons before is gone."""
        counts = torch.tensor([len(each) for each in boxes], device=self.images.device)
        self.owner = torch.arange(len(boxes), device=self.images.device).repeat_interleave(counts)
        self.persons = dict(boxes=torch.cat(list(boxes)).float(), scores=torch.cat(list(scores)).float())
        self.person_features = {}

    def records(self) -> list[FrameParse]:
        """The frames as records of their own, for rules that go frame by frame."""
        frames = [FrameParse(number, np.zeros((0, 4))) for number in self.numbers]
        self.write(frames)
        return frames

    def take(self, frames: Sequence[FrameParse]) -> None:
        """What records of the same frames say, in place of all that was known."""
        self.__dict__.update(Window.of(self.images, frames).__dict__)

    def write(self, frames: Sequence[FrameParse]) -> None:
        """Put all columns into the records of the T frames.

        Raises:
            ValueError: If a stage has left columns whose lengths do not fit each other.
        """
        counts = self.counts
        for name, column in self.persons.items():
            for frame, rows in zip(frames, _arrays(column, counts)):
                setattr(frame, name, rows)
        for name, column in self.person_features.items():
            for frame, rows in zip(frames, _arrays(column, counts)):
                frame.person_features[name] = rows
        for name, column in self.features.items():
            for frame, row in zip(frames, column.cpu().numpy()):
                frame.features[name] = row
        self._write_objects(frames)
        for frame in frames:
            frame.check()

    def _take(self, columns: dict[str, Tensor], name: str, rows: Sequence[np.ndarray | None]) -> None:
        known = [each for each in rows if each is not None]
        # A frame without persons may have other inner sizes, so it adds no rows of its own.
        full = [each for each in known if len(each)] or known[:1]
        if full:
            columns[name] = torch.from_numpy(np.concatenate(full)).to(self.images.device)

    def _take_objects(self, objects: Sequence[FrameObjects | None]) -> None:
        known = [each for each in objects if each is not None]
        if not known or len(known) < len(objects):
            return
        device = self.images.device
        counts = torch.tensor([len(each) for each in known])
        self.object_owner = torch.arange(len(known)).repeat_interleave(counts).to(device)
        for name in OBJECT_FIELDS:
            rows = np.concatenate([getattr(each, name) for each in known])
            self.objects[name] = torch.from_numpy(rows).to(device)

    def _write_objects(self, frames: Sequence[FrameParse]) -> None:
        if self.object_owner is None:
            return
        counts = torch.bincount(self.object_owner, minlength=len(self)).tolist()
        columns = [_arrays(self.objects[name], counts) for name in OBJECT_FIELDS]
        for frame, *rows in zip(frames, *columns):
            frame.objects = FrameObjects(*rows)


def _owners(frames: Sequence[FrameParse], device: torch.device) -> Tensor:
    counts = torch.tensor([len(frame) for frame in frames], dtype=torch.int64)
    return torch.arange(len(frames)).repeat_interleave(counts).to(device)


def _names(features: Iterator[dict[str, np.ndarray]] | Sequence[dict[str, np.ndarray]]) -> list[str]:
    return list(dict.fromkeys(name for each in features for name in each))


def _stacked(rows: Sequence[np.ndarray], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(rows)).to(device)


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _arrays(column: Tensor, counts: Sequence[int]) -> list[np.ndarray]:
    """A column by frames; each is an array of its own, so that no frame keeps the whole column in memory."""
    if len(column) != sum(counts):
        raise ValueError(f"a column of a window has {len(column)} rows for {sum(counts)} persons or objects")
    return [part.copy() for part in np.split(column.cpu().numpy(), np.cumsum(counts)[:-1])]
