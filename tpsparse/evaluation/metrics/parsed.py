"""How good the persons and the part states of records are, whichever stages have made them.

Shapes: P persons in a frame, K parts, S states, R rows, each an annotated part. Boxes are ``xyxy`` in pixels of
the decoded frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ...errors import InputError
from ...registry import METRICS
from ...structures import FrameParse, VideoParse, is_present
from ..functional import box_average_precision, match_persons
from .inputs import TaxonomyMetric
from .multi_label_state import state_precisions

NOT_FOUND = -1.0
"""The score of every state of a part that is not in the record: below all probabilities."""


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
class ParsedStateAccuracy(TaxonomyMetric):
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


@METRICS.register_module()
class ParsedStateMAP(TaxonomyMetric):
    """Mean average precision over the states, by the state scores of records, in the annotated frames that were parsed.

    Each annotated part that has a state is a row. Persons are matched to annotated ones as the challenge does it; a row
    whose person is not matched, or whose part has no box or no state in the record, has a score of its own below all
    others in every state. How well a part's box fits does not matter. A record with states and no scores, as systems of
    segments make them, gives its states the score 1 and all others 0.

    Numbers are ``mAP`` over all rows and ``mAP/<group>`` of the rows of a part group, left and right together: a mean
    over the states that are annotated there. A video that could not be parsed has no parsed frame; the run counts it as
    skipped.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        human_iou: Two persons belong together when their IoU is greater.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "state"

    def __init__(
        self,
        *,
        taxonomy: dict[str, Any] | None = None,
        human_iou: float = 0.5,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(taxonomy=taxonomy, collect_device=collect_device, prefix=prefix)
        self.human_iou = human_iou

    def process(self, data_batch: Any, data_samples: Sequence[VideoParse]) -> None:
        """Keep the rows of each video.

        Args:
            data_batch: Holds ``"ground_truth"``, a list with a VideoParse or None for each sample.
            data_samples: Records.
        """
        num_states = len(self.taxonomy.states)
        for parse, truth in _pairs(data_batch, data_samples):
            frames = _annotated_frames(parse, truth)
            rows = [_state_rows(parsed, true, num_states, self.human_iou) for parsed, true in frames]
            empty = (np.zeros((0, num_states), dtype=np.float32), *np.zeros((2, 0), dtype=np.int64))
            scores, states, parts = (np.concatenate(column) for column in zip(empty, *rows))
            self.results.append(dict(video=parse.video, scores=scores, states=states, parts=parts))

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """The numbers of the docstring; nothing where there is no row."""
        entries = _each_once(results)
        if not entries:
            return {}
        scores, states, parts = (np.concatenate([e[name] for e in entries]) for name in ("scores", "states", "parts"))
        return state_precisions(scores, states, parts, self.taxonomy)


def _state_rows(
    parsed: FrameParse, true: FrameParse, num_states: int, human_iou: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (R, S), annotated states (R,) and parts (R,) of the annotated parts of a frame."""
    annotated = true.states()
    scores = np.full((*annotated.shape, num_states), NOT_FOUND, dtype=np.float32)
    rows, columns = match_persons(true.boxes, parsed.boxes, human_iou)
    if len(rows):
        scores[rows] = _scores_of_states(parsed, num_states)[columns]
    labelled = annotated >= 0
    return scores[labelled], annotated[labelled], np.nonzero(labelled)[1]


def _scores_of_states(frame: FrameParse, num_states: int) -> np.ndarray:
    """(P, K, S) float32; NOT_FOUND for a part without a box, a state, or scores that are numbers."""
    states = frame.states()
    found = states >= 0
    if frame.part_boxes is not None:
        found = found & is_present(frame.part_boxes)
    if frame.state_scores is None:
        scores = np.eye(num_states, dtype=np.float32)[np.maximum(states, 0)]
    else:
        scores = frame.state_scores
        found = found & np.isfinite(scores).all(axis=2)
    return np.where(found[..., None], scores, NOT_FOUND).astype(np.float32)


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
