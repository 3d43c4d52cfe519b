"""Whole frames with the parts of their persons, the states and relevance of these, and the objects.

Shapes: P persons in a frame, K parts, O objects. Boxes are float32 ``xyxy`` in pixels of the picture, continuous
coordinates; an absent part is four NaN and has state and relevance -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS
from ..base import refuse_empty
from ..index import open_index
from ..relevance import RelevanceTable, derive_relevance
from .frames import FrameDataset


@DATASETS.register_module()
class TPSFramePartsDataset(FrameDataset):
    """Annotated frames in which a person has a labelled part.

    Args:
        relevance: ``split``, the training split that relevance labels are derived from, and where need be ``min_lift``
            and ``plain_states`` of :func:`derive_relevance`; None for samples whose relevance is not known.
        frame_step: Every how many frames of a video are used.
        max_persons: In training so many of the persons with a labelled part are drawn in each frame; None for all
            persons. Testing has all.
        kwargs: Of :class:`TPSDataset`.

    Raises:
        InputError: If there is no such frame, the relevance cannot be derived, or ``max_persons`` is below 1.
    """

    def __init__(
        self,
        *,
        relevance: dict[str, Any] | None = None,
        frame_step: int = 1,
        max_persons: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_persons is not None and max_persons < 1:
            raise InputError(
                f"max_persons {max_persons} of TPSFramePartsDataset leaves nobody: give 1 or more, or None"
            )
        self.max_persons = max_persons
        self.relevance = None if relevance is None else self._derive(**relevance)
        labelled = np.unique(self.index.person_frame[self.index.part_person[self.index.parts]])
        self.frames = labelled[(self.index.frame_number[labelled] - 1) % frame_step == 0]
        refuse_empty(self.frames, "frame with an annotated part", self)
        self._object_id = self.index.object_id  # the index makes it anew each time
        self._training = False

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, key: int | tuple[int, int]) -> Any:
        """The item after the pipeline, see :class:`TPSDataset`."""
        self._training = isinstance(key, tuple)  # only training has seeds
        return super().__getitem__(key)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), its persons' boxes (P, 4), their parts and the objects.

        ``part_boxes`` (P, K, 4), ``part_states`` and ``relevance`` (P, K), ``object_boxes`` (O, 4) and
        ``object_labels`` (O,) ids; an object whose name the list lacks is left out.

        Raises:
            InputError: If the frame cannot be read.
        """
        frame = int(self.frames[index])
        entry, number, image, scale = self.read_frame(index)
        persons = self.index.persons_of(frame)
        part_boxes, part_states = self.index.person_parts(persons)
        chosen = self._drawn(part_states)
        objects = self.index.objects_of(frame)
        labels = self._object_id[objects]
        return dict(
            img=image,
            video=entry.name,
            frame_index=number,
            action=entry.action,
            flip_parts=self.taxonomy.flip_parts,
            boxes=self.index.boxes[persons][chosen] * scale,
            part_boxes=part_boxes[chosen] * scale,
            part_states=part_states[chosen],
            relevance=self._labels(entry.action, part_states[chosen]),
            object_boxes=self.index.object_box[objects][labels >= 0] * scale,
            object_labels=labels[labels >= 0],
        )

    def _derive(self, *, split: str, **rule: Any) -> RelevanceTable:
        return derive_relevance(open_index(self.index.root, split, self.taxonomy), **rule)

    def _labels(self, action: int, states: np.ndarray) -> np.ndarray:
        """(P, K) float32 relevance of states (P, K)."""
        if self.relevance is None:
            return np.full(states.shape, -1, dtype=np.float32)
        return self.relevance.labels(action, states)

    def _drawn(self, states: np.ndarray) -> np.ndarray:
        """Rows of the persons of a sample, rising, given the states (P, K) of all."""
        if not self._training or self.max_persons is None:
            return np.arange(len(states))
        labelled = np.flatnonzero((states >= 0).any(axis=1))
        return np.sort(np.random.permutation(labelled)[: self.max_persons])
