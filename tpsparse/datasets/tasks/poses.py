"""Persons with known keypoints, for pose networks in mmpose's terms.

Shapes: P persons in a frame, J = 17 COCO keypoints, H x W pixels of an image. mmpose has a pixel's centre at whole
numbers, as OpenCV does; our continuous coordinates have it at a half. :func:`pose_sample` goes from ours to mmpose's
and :func:`from_pose_network` back, so that nothing else needs to know.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import Registry
from mmpose.registry import KEYPOINT_CODECS

from ...errors import InputError
from ...registry import DATASETS, SCOPE
from ...structures.keypoints import CONFIDENT, FLIP_KEYPOINTS, KEYPOINTS, is_confident
from ..base import TPSDataset
from ..frame_pool import FramePool, pool_of_all
from ..index import VideoEntry
from ..keypoints import load_keypoints

# It has nothing of ours; without a child of this scope mmengine warns at every look-up, as in tpsparse/registry.py.
_CODECS = Registry(KEYPOINT_CODECS.name, parent=KEYPOINT_CODECS, scope=SCOPE)
CENTRE = 0.5
"""Of a pixel, in continuous coordinates."""
# What mmpose's RandomHalfBody tells apart, as its COCO data set does: hips are of the lower body.
_FIRST_OF_LOWER = KEYPOINTS.index("left_hip")


@DATASETS.register_module()
class TPSPoseDataset(TPSDataset):
    """Persons of whom keypoints are known; mmpose's transforms cut them out.

    A record that cannot be used costs its video. A keypoint below ``min_score`` is one that is not known; a person
    without any that is known is no sample.

    Args:
        keypoints: Folder of saved parses with boxes and keypoints, one file a video, of this and maybe other splits.
        frame_step: Every how many frames of a video are used.
        min_score: Least score of a known keypoint; one of score 0 is never known.

    Raises:
        InputError: If the folder is missing, or has no known keypoint of a video of this split.
    """

    needs_annotations = False

    def __init__(self, *, keypoints: str, frame_step: int = 1, min_score: float = CONFIDENT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder, self.min_score = Path(keypoints), min_score
        if not self.folder.is_dir():
            raise InputError(f"{self.folder} is missing: {_REMEDY}")
        self.pool: FramePool | None = None
        self.sizes = np.zeros((len(self.index.videos), 2))  # (H, W) that the records are in pixels of
        rows = [row for i, entry in enumerate(self.index.videos) for row in self._rows(i, entry, frame_step)]
        if not rows:
            self.problems.report("data set")
            raise InputError(f"{self.folder} has no keypoints of a {self.index.split} video: {_REMEDY}")
        videos, numbers, boxes, points = zip(*rows)
        self.video, self.number = np.array(videos), np.array(numbers)
        self.boxes, self.points = np.stack(boxes), np.stack(points)

    def __len__(self) -> int:
        return len(self.video)

    def expect_pools(self) -> None:
        """Samples of a few videos are going to follow each other: keep their frames."""
        self.pool = FramePool()

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return self.video

    def sample(self, index: int) -> dict[str, Any]:
        """The frame with one person's box and keypoints, see :func:`pose_sample`."""
        video, number = int(self.video[index]), int(self.number[index])
        source = self.source(self.index.videos[video])
        pool = self.pool or self._pool_of_all
        if pool is None:
            image = source.frames([number])[0]
        else:
            image = pool.frame(source, number, lambda: np.unique(self.number[self.video == video]).tolist()).copy()
        scale = (np.array(source.size) / self.sizes[video])[::-1].astype(np.float32)
        points = self.points[index] * np.append(scale, np.float32(1))
        points[~is_confident(points[:, 2], self.min_score)] = 0
        return pose_sample(image, self.boxes[index] * np.tile(scale, 2), keypoints=points, number=index)

    @cached_property
    def _pool_of_all(self) -> FramePool | None:
        videos, _ = np.unique(np.stack([self.video, self.number]), axis=1)
        return pool_of_all(np.bincount(videos, minlength=len(self.sizes)), self.sizes)

    def _rows(self, video: int, entry: VideoEntry, frame_step: int) -> list[tuple[int, int, np.ndarray, np.ndarray]]:
        """Video, frame number, box (4,) and keypoints (J, 3) of each sample of a video."""
        path = self.folder / f"{entry.name}.safetensors"
        try:
            parse = load_keypoints(path, entry, _REMEDY)
        except InputError as error:
            self.problems.add("video", path, str(error).removeprefix(f"{path} "))
            return []
        self.sizes[video] = parse.size
        return [
            (video, frame.frame_index, box, points)
            for frame in parse.frames
            if frame.keypoints is not None and (frame.frame_index - 1) % frame_step == 0
            for box, points in zip(frame.boxes, frame.keypoints.astype(np.float32))
            if is_confident(points[:, 2], self.min_score).any()
        ]


def pose_sample(
    image: np.ndarray, box: np.ndarray, *, keypoints: np.ndarray | None = None, number: int = 0
) -> dict[str, Any]:
    """One person in mmpose's terms, before its transforms.

    Args:
        image: (H, W, 3) uint8 RGB; not copied.
        box: (4,) in continuous pixels. A side of less than a pixel counts as one, so that any box gives a crop.
        keypoints: (J, 3) where they are known; those of score 0 are not.
        number: Of the sample.
    """
    size = image.shape[:2]
    sample = dict(
        img=image,
        img_shape=size,
        ori_shape=size,
        img_path="",
        id=number,
        img_id=number,
        category_id=1,
        bbox=boxes_for_mmpose(box[None]),
        bbox_score=np.ones(1, dtype=np.float32),
        flip_indices=FLIP_KEYPOINTS.tolist(),
        upper_body_ids=list(range(_FIRST_OF_LOWER)),
        lower_body_ids=list(range(_FIRST_OF_LOWER, len(KEYPOINTS))),
    )
    if keypoints is not None:
        known = keypoints[:, 2] > 0
        # What is not known may be anything, even NaN, which would spread through the warp.
        sample["keypoints"] = np.where(known[:, None], keypoints[:, :2] - CENTRE, 0).astype(np.float32)[None]
        sample["keypoints_visible"] = known.astype(np.float32)[None]
    return sample


def boxes_for_mmpose(boxes: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) float32 in mmpose's coordinates, of boxes in continuous pixels.

    Those of a pixel or more are only moved: computed otherwise, the last digit would be another than that of a caller
    of mmpose, and OpenCV, which cuts out in steps of 1/32 pixel, would give some pixels of the crop another value.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    middle, small = (low + high) / 2, high - low < 1
    grown = np.hstack([np.where(small, middle - 0.5, low), np.where(small, middle + 0.5, high)])
    return grown.astype(np.float32) - CENTRE


def from_pose_network(points: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Keypoints (J, 3) in continuous pixels of the frame, from those (1, J, 2) and scores (1, J) that mmpose gives.

    A score is the height of the heatmap's peak, which may leave [0, 1] by a little, and is cut to it.
    """
    return np.column_stack([points[0] + CENTRE, np.clip(scores[0], 0, 1)]).astype(np.float32)


_REMEDY = (
    "write the synthetic data set, which has keypoints, with tools/prepare_data.py synthetic, "
    "or put saved parses with boxes and keypoints there"
)
