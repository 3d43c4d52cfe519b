"""Part states of a video's segments, by recognizers of one part group each (Chen et al., PCF, 2022, section II-C).

Shapes: T frames, P persons in a frame, K parts, N segments of a video, A actions, S states, L labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..datasets.segments import Segmenter
from ..datasets.tasks import segment_sample
from ..datasets.video import Video
from ..errors import InputError
from ..registry import SEGMENTERS, STAGES
from ..structures import LabelTable, SegmentScores, VideoParse, is_present
from ..structures.segments import best_pairs
from ..taxonomy import Taxonomy
from .actions import is_weighting, weighted_mean
from .base import Stage
from .batches import batches
from .clips import ClipBatch, ClipStage, HeldFrames, choose_frames, clip_results
from .network import load_network


@STAGES.register_module()
class ClassifySegments(ClipStage):
    """Run a recognizer of one part group's states on every segment of the video.

    Args:
        name: What its scores are called in the record.
        config: Config that the recognizer was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run. It brings the label table.
        train_options: Overrides of the config that it was trained with, such as ``dict(group="arm")``.
        options: Further overrides, of the test alone.
        segments: Config of how the video is cut; as in the network's own test by default.
        batch_segments: Segments in a batch, each with all its clips; memory grows with it, not with the video.

    Raises:
        InputError: If the checkpoint does not fit, or the config does not say how videos are cut.
    """

    def __init__(
        self,
        *,
        name: str,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        train_options: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        segments: dict[str, Any] | None = None,
        batch_segments: int = 4,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, {**(train_options or {}), **(options or {})})
        self.name = name
        self.shape = (len(taxonomy.actions), len(taxonomy.states))
        if self.network.config.model.get("cls_head", {}).get("average_clips") != "prob":
            raise InputError(f'config {config} gives no probabilities: set model.cls_head.average_clips to "prob"')
        self.labels = LabelTable.from_meta(self.network.config.get("label_table", {}), config).ids(taxonomy, config)
        self.segmenter = _segmenter(config, self.network.config, segments)
        self.batch_segments = batch_segments
        self.gives = [f"segments:{name}"]

    def clip_batches(self, video: Video) -> list[ClipBatch]:
        """The segments, some at a time."""
        cut = self.segmenter(video.num_frames, video.fps)
        return [self._batch(video, segments) for segments in batches(list(cut), self.batch_segments)]

    def _batch(self, video: Video, segments: Sequence[np.ndarray]) -> ClipBatch:
        samples = [segment_sample(video.path, video.name, each, fps=video.fps, label=-1) for each in segments]
        return choose_frames(self.network, samples)

    def classify(self, batch: ClipBatch, source: HeldFrames) -> np.ndarray:
        """(N, L) probabilities of a batch of segments."""
        results = clip_results(self.network, batch, source)
        return np.stack([result.pred_score.float().cpu().numpy() for result in results])

    def write(self, video: Video, parse: VideoParse, results: list[np.ndarray]) -> None:
        """Give the scores of every segment.

        Raises:
            InputError: If the network gives what is no probability.
        """
        cut = self.segmenter(video.num_frames, video.fps)
        scores = np.zeros((len(cut), *self.shape), dtype=np.float32)
        scores[:, self.labels[:, 0], self.labels[:, 1]] = np.concatenate(results)
        try:
            parse.segments[self.name] = SegmentScores(cut[:, :2], scores)
        except ValueError as error:
            told = f"{video.path} gets no probabilities from {self.name} ({error})"
            raise InputError(f"{told}: train that network again") from error


@STAGES.register_module()
class EnsembleStates(Stage):
    """The system's part states: for each part group the weighted mean of what its recognizers say.

    In each frame the best pair of action and state counts, the first of equals, by the segments that the frame lies in
    or is nearest to. Its state goes to the group's parts on both sides, of every person; a part without a box has none.

    Args:
        weights: Part group to the weights of the segments' scores by name. One of weight 0 needs no stage.
        within_action: Only pairs of the video's action compete; where it has no label in a group, all do.

    Raises:
        InputError: If the weights do not cover the part groups, or those of a group make no mean.
    """

    gives = ("part_states",)

    def __init__(
        self, *, weights: Mapping[str, Mapping[str, float]], taxonomy: Taxonomy, within_action: bool = False
    ) -> None:
        _check_groups(weights, taxonomy)
        self.weights = {group: {n: w for n, w in weights[group].items() if w > 0} for group in taxonomy.part_groups}
        self.within_action = within_action
        self.part_groups = taxonomy.part_groups
        self.num_parts = len(taxonomy.parts)
        names = dict.fromkeys(name for by_name in self.weights.values() for name in by_name)
        self.needs = ["part_boxes", *(f"segments:{name}" for name in names), *["action"] * within_action]

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give the states, in place of any state scores."""
        states = np.zeros((len(parse.frames), self.num_parts), dtype=np.int64)
        for group, weights in self.weights.items():
            states[:, self.part_groups[group]] = self._group_states(parse, weights)[:, None]
        for frame, each in zip(parse.frames, states):
            frame.state_scores = None
            frame.part_states = np.tile(each, (len(frame), 1))
            if frame.part_boxes is not None:
                frame.part_states[~is_present(frame.part_boxes)] = -1

    def _group_states(self, parse: VideoParse, weights: dict[str, float]) -> np.ndarray:
        """(T,) state of a part group in each parsed frame."""
        members = [parse.segments[name] for name in weights]
        numbers = np.array(parse.frame_indices, dtype=np.int64)
        places = np.stack([member.segment_of(numbers) for member in members], axis=1)
        # Neighbouring frames mostly lie in the same segments of all members.
        chosen, back = np.unique(places, axis=0, return_inverse=True)
        joint = [member.scores[rows] for member, rows in zip(members, chosen.T)]
        scores = weighted_mean(joint, list(weights.values()))
        action = parse.action() if self.within_action else None
        return best_pairs(scores if action is None else _within(scores, action))[1][back.reshape(-1)]


def _segmenter(path: str, cfg: Any, given: dict[str, Any] | None) -> Segmenter:
    """How videos are cut: as given, or as in the test of the network's config."""
    own = cfg.get("test_dataloader", {}).get("dataset", {}).get("segments")
    if given is None and own is None:
        raise InputError(f"config {path} does not say how videos are cut: give segments in its test data set")
    return SEGMENTERS.build(given if given is not None else own)


def _within(scores: np.ndarray, action: int) -> np.ndarray:
    """Scores (N, A, S) with 0 for pairs of other actions, wherever the action has any."""
    own = np.zeros_like(scores)
    own[:, action] = scores[:, action]
    return np.where(own.any(axis=(1, 2), keepdims=True), own, scores)


def _check_groups(weights: Mapping[str, Mapping[str, float]], taxonomy: Taxonomy) -> None:
    groups = list(taxonomy.part_groups)
    strange = [group for group in weights if group not in groups]
    lacking = [group for group in groups if group not in weights]
    if strange or lacking:
        told = [f"do not cover {', '.join(lacking)}"] * bool(lacking) + [f"name {', '.join(strange)}"] * bool(strange)
        remedy = f"give one entry for each of {', '.join(groups)}"
        raise InputError(f"weights of EnsembleStates {' and '.join(told)}: {remedy}")
    for group, by_name in weights.items():
        if not is_weighting(list(by_name.values())):
            values = f"weights {dict(by_name)} of EnsembleStates for {group}"
            raise InputError(f"{values} must not be negative, nor all zero")
