"""Persons: where they are, and what the detector's action heads say of them and of the frame.

Shapes: T frames, P persons in a frame, A actions, D feature channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..datasets.video import Video
from ..registry import STAGES
from ..structures import VideoParse
from ..taxonomy import Taxonomy
from .base import NetworkStage
from .batches import frame_results
from .network import load_network
from .window import Window

# What the detector calls a thing, and what the record does.
FRAME_OUTPUTS = {"context_feature": "context", "context_scores": "context_scores"}
PERSON_OUTPUTS = {"action_features": "instance_action", "action_scores": "instance_scores"}


@STAGES.register_module()
class DetectPersons(NetworkStage):
    """Run a person detector on every frame.

    The mean over frames of the global context branch becomes the action score ``frame``, the mean over persons of
    the AP-RCNN branch, weighted by the person's score, ``instance`` (DAP report, section 2.1).

    Args:
        config: Config that the detector was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
    """

    needs = ()
    reads = ("context_scores", "instance_scores")

    def __init__(
        self,
        *,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        model = self.network.config.model
        self.gives = ["boxes", "scores"]
        if model.get("context_action"):
            self.gives += ["feature:context", "action:frame"]
        if model.get("instance_action"):
            self.gives += ["feature:instance_action", "action:instance"]

    def parse_window(self, window: Window) -> None:
        """Give boxes, scores and the features of the action branches."""
        results = frame_results(self.network, window, self.runtime.batch_frames)
        persons = [result.pred_instances for result in results]
        window.set_persons([each.bboxes for each in persons], [each.scores for each in persons])
        for name, own in FRAME_OUTPUTS.items():
            if name in results[0]:
                window.features[own] = torch.stack([result.get(name) for result in results]).float()
        for name, own in PERSON_OUTPUTS.items():
            if name in persons[0]:
                window.person_features[own] = torch.cat([each.get(name) for each in persons]).float()

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give the action scores of the two branches."""
        if "action:frame" in self.gives and parse.frames:
            parse.action_scores["frame"] = np.mean([frame.features["context_scores"] for frame in parse.frames], axis=0)
        if "action:instance" in self.gives:
            weights = np.concatenate([frame.scores for frame in parse.frames])
            scores = np.concatenate([frame.person_features["instance_scores"] for frame in parse.frames])
            parse.action_scores["instance"] = weighted_mean(scores, weights)


def weighted_mean(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(A,) mean of (P, A) scores by weights (P,); every action alike where nothing has weight."""
    total = weights.sum()
    if total <= 0:
        return np.full(scores.shape[1], 1 / scores.shape[1], dtype=np.float32)
    return (weights @ scores / total).astype(np.float32)
