"""Keypoints of the persons found, by a trained network or by MediaPipe.

Shapes: T frames of H x W pixels, P persons in a frame, J = 17 COCO keypoints of (x, y, score).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..datasets.tasks.poses import from_pose_network, pose_sample
from ..errors import InputError
from ..poses.landmarks import coco_keypoints
from ..poses.mediapipe import PoseEstimator
from ..poses.views import match_poses
from ..registry import STAGES
from ..structures import FrameParse
from ..structures.keypoints import KEYPOINTS
from ..taxonomy import Taxonomy
from .base import NetworkStage, Stage
from .batches import person_column, person_image, person_results
from .network import load_network
from .preparation import Batch
from .window import Window


@STAGES.register_module()
class EstimatePose(NetworkStage):
    """Run one of mmpose's top-down networks on every person (PCF report, equation 2).

    Args:
        config: Config of the network; its ``test_pipeline`` makes the crop.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        options: Overrides of the config.

    Raises:
        InputError: If the network cannot be loaded, or tells other keypoints than COCO's.
    """

    needs = ("boxes",)
    gives = ("keypoints",)

    def __init__(
        self,
        *,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        count = self.network.config.model.head.out_channels
        if count != len(KEYPOINTS):
            raise InputError(f"config {config} tells {count} keypoints: give a network of COCO's {len(KEYPOINTS)}")

    def parse_window(self, window: Window) -> None:
        """Give the keypoints of every person, in the order of the boxes."""
        size = self.runtime.batch_persons
        results = person_results(self.network, window, size, _item, self._predict())
        window.persons["keypoints"] = (
            torch.stack([_keypoints(each) for each in results])
            if results
            else torch.zeros(0, len(KEYPOINTS), 3, device=window.images.device)
        )

    def _predict(self) -> Callable[[Batch], Tensor] | None:
        """Ask a network that can for all keypoints at once; mmpose's own decode one person after the other."""
        return self.network.predict_keypoints if hasattr(self.network.model, "predict_keypoints") else None


@STAGES.register_module()
class EstimatePoseMediaPipe(Stage):
    """Let MediaPipe Pose look at every person; its weights come with its package.

    In each frame by itself, at each box: see :meth:`PoseEstimator.find_at`. A pose is of the box that it fits best, one
    to one (:func:`match_poses`); a person whom none fits has keypoints of score 0. A keypoint's score is MediaPipe's
    visibility: low for a limb out of sight, yet often high for one that is in the wrong place.

    Args:
        min_iou: Of a box and the box around a pose's landmarks, below which the pose is of somebody else.

    Raises:
        InputError: If MediaPipe is not installed.
    """

    needs = ("boxes",)
    gives = ("keypoints",)

    def __init__(self, *, taxonomy: Taxonomy, min_iou: float = 0.3) -> None:
        self.estimator = PoseEstimator([])
        self.depends_on = f"mediapipe {metadata.version('mediapipe')}"
        self.min_iou = min_iou

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give the keypoints of every person, in the order of the boxes."""
        for image, frame in zip(images, frames):
            poses = self.estimator.find_at(image, frame.boxes)
            matches = match_poses(poses, frame.boxes, self.min_iou)
            # Position -1, of nobody, is the last row.
            frame.keypoints = np.concatenate([coco_keypoints(poses), _unknown(1)])[matches]


def _unknown(persons: int) -> np.ndarray:
    return np.zeros((persons, len(KEYPOINTS), 3), dtype=np.float32)


def _item(window: Window, row: int) -> dict[str, Any]:
    return pose_sample(person_image(window, row), person_column(window, "boxes", row))


def _keypoints(result: Any) -> Tensor:
    """Keypoints (J, 3) of what a network says of a person: these themselves, or mmpose's data sample."""
    if isinstance(result, Tensor):
        return result
    found = result.pred_instances
    return torch.from_numpy(from_pose_network(found.keypoints, found.keypoint_scores))
