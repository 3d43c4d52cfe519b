"""How good the persons and the part states of records are, whichever stages have made them.

Shapes: P persons in a frame, K parts. Boxes are ``xyxy`` in pixels of the decoded frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ...errors import InputError
from ...registry import METRICS
from ...structures import FrameParse, VideoParse
from ...taxonomy import Taxonomy
from ..functional import box_average_precision
from .inputs import taxonomy_of


@METRICS.register_module()
class ParsedPersonAP(BaseMetric):
    """COCO AP and AP50 of the persons in records, over the annotated frames that were parsed.

    The numbers are those of :class:`PersonAPMetric` on the same boxes: here they are what all stages have made of them.
    A video that could not be parsed has no parsed frame; the run counts it as skipped.

    Args:
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "person"

    def __init__(self, *, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)

    def process(self, data_batch: Any, data_samples: Sequence[VideoParse]) -> None:
        """Keep predicted and annotated boxes of each video.

        Args:
            data_batch: Holds ``"ground_truth"``, a list with a VideoParse or None for each sample.
            data_samples: Records.
        """
        for parse, truth in _pairs(data_batch, data_samples):
            frames = [(_boxes(parsed, scores=True), _boxes(true)) for parsed, true in _annotated_frames(parse, truth)]
            # One entry a video: mmengine cuts the gathered list to the size of the data set.
            self.results.append(dict(video=parse.video, frames=frames))

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """AP and AP50; nothing where no annotated frame was parsed."""
        frames = [frame for entry in _each_once(results) for frame in entry["frames"]]
        if not frames:
            return {}
        precision = box_average_precision([true for _, true in frames], [found for found, _ in frames], ("person",))
        return {name: precision[name] for name in ("AP", "AP50")}


@METRICS.register_module()
class ParsedStateAccuracy(BaseMetric):
    """Share of annotated parts whose state is right, in the annotated frames that were parsed.

    It is for systems whose persons are the annotated ones (:class:`ReadAnnotation`): a record's persons are compared
    with the annotated ones row by row. Numbers are by part group, left and right together, and of ``all`` parts; a
    group without annotated parts has none. A part that has no state in the record counts as wrong.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "state"

    def __init__(
        self, *, taxonomy: dict[str, Any] | None = None, collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self._taxonomy = taxonomy

    @property
    def taxonomy(self) -> Taxonomy:
        """The names of this run."""
        return taxonomy_of(self, self._taxonomy)

    def process(self, data_batch: Any, data_samples: Sequence[VideoParse]) -> None:
        """Count annotated parts and right states of each video.

        Args:
            data_batch: Holds ``"ground_truth"``, a list with a VideoParse or None for each sample.
            data_samples: Records.

        Raises:
            InputError: If a frame has another number of persons than are annotated.
        """
        for parse, truth in _pairs(data_batch, data_samples):
            counts = np.zeros((2, len(self.taxonomy.parts)), dtype=np.int64)
            for parsed, true in _annotated_frames(parse, truth):
                counts += _right_states(parse.video, parsed, true)
            self.results.append(dict(video=parse.video, counts=counts))

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """The shares of the docstring."""
        none = np.zeros((2, len(self.taxonomy.parts)), dtype=np.int64)
        right, labelled = sum((entry["counts"] for entry in _each_once(results)), none)
        groups = {**self.taxonomy.part_groups, "all": range(len(self.taxonomy.parts))}
        totals = {name: (right[list(of)].sum(), labelled[list(of)].sum()) for name, of in groups.items()}
        return {name: float(good / whole) for name, (good, whole) in totals.items() if whole}


def _right_states(video: str, parsed: FrameParse, true: FrameParse) -> np.ndarray:
    """(2, K) how many annotated states of each part are right, and how many there are."""
    if len(parsed) != len(true):
        raise InputError(
            f"{video}, frame {true.frame_index}, has {len(parsed)} persons in the record and {len(true)} annotated: "
            "take the persons of the annotation, with a ReadAnnotation stage"
        )
    annotated = true.states()
    labelled = annotated >= 0
    right = labelled & (parsed.states() == annotated) if len(true) else labelled
    return np.stack([right.sum(axis=0), labelled.sum(axis=0)])


def _pairs(data_batch: Any, parses: Sequence[VideoParse]) -> Iterator[tuple[VideoParse, VideoParse | None]]:
    truths = data_batch["ground_truth"]
    if len(truths) != len(parses):
        raise ValueError(f"{len(parses)} records but {len(truths)} ground truths in one batch")
    return zip(parses, truths)


def _annotated_frames(parse: VideoParse, truth: VideoParse | None) -> Iterator[tuple[FrameParse, FrameParse]]:
    """The frames that are both parsed and annotated."""
    parsed = {frame.frame_index: frame for frame in parse.frames}
    true = [] if truth is None else truth.frames
    return ((parsed[frame.frame_index], frame) for frame in true if frame.frame_index in parsed)


def _boxes(frame: FrameParse, *, scores: bool = False) -> dict[str, np.ndarray]:
    found = dict(boxes=frame.boxes, labels=np.zeros(len(frame), dtype=np.int64))
    return {**found, "scores": frame.scores} if scores else found


def _each_once(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A sampler that fills up the last round of several processes repeats videos."""
    return list({entry["video"]: entry for entry in results}.values())
