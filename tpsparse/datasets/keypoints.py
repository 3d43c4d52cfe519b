"""Keypoints that a parsing run has saved, for the annotated persons of a data set.

Shapes: P annotated and Q parsed persons in a frame, J = 17 COCO keypoints of (x, y, score). Boxes are float ``xyxy`` in
pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..structures import FrameParse, VideoParse, pairwise_iou
from ..structures.keypoints import KEYPOINTS

KEPT_RECORDS = 256
"""Records in memory; one of 151 frames with two persons has some 70 kB."""
REMEDY = "run the pose stage over these videos again, as tools/reproduce.py does"


class SavedKeypoints:
    """A folder of saved parses that have boxes and keypoints, one file a video.

    Args:
        folder: With ``<video>.safetensors``.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._record = lru_cache(maxsize=KEPT_RECORDS)(self._read)

    def path(self, video: str) -> Path:
        """Where a video's record is, if it has one."""
        return self.folder / f"{video}.safetensors"

    def check_any(self, videos: Iterable[str]) -> None:
        """Refuse a folder that has a record of none of the videos.

        Raises:
            InputError: If so.
        """
        if not any(self.path(video).is_file() for video in videos):
            raise InputError(f"{self.folder} has no saved parse of these videos: {REMEDY}")

    def frame(self, video: str, number: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Persons of a frame.

        Args:
            video: Its name.
            number: Of the frame, from 1.
            size: (height, width) of the frame in whose pixels the answer is.

        Returns:
            Boxes (Q, 4) and keypoints (Q, J, 3), float32.

        Raises:
            InputError: If there is no record, it is broken, it lacks the frame, or it has no keypoints.
        """
        own_size, frames = self._record(video)
        path = self.path(video)
        if number not in frames:
            raise InputError(f"{path} has no frame {number}: {REMEDY}")
        boxes, keypoints = frames[number]
        if not min(own_size):  # a record that does not say it is in the video's own pixels
            own_size = size
        factor = np.array([size[1] / own_size[1], size[0] / own_size[0]], dtype=np.float32)
        return boxes * np.tile(factor, 2), keypoints * np.append(factor, np.float32(1))

    def _read(self, video: str) -> tuple[tuple[int, int], dict[int, tuple[np.ndarray, np.ndarray]]]:
        path = self.path(video)
        if not path.is_file():
            raise InputError(f"{path} is missing: {REMEDY}")
        parse = VideoParse.load(path)
        if parse.error or not parse.frames:
            raise InputError(f"{path} holds no parsed frame ({parse.error}): {REMEDY}")
        return parse.size, {frame.frame_index: _persons(frame, path) for frame in parse.frames}

    def __getstate__(self) -> dict[str, object]:
        """Without what is in memory, for a loader's process that is not forked."""
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(state["folder"])  # type: ignore[misc, arg-type]


def _persons(frame: FrameParse, path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not len(frame):
        return frame.boxes, np.zeros((0, len(KEYPOINTS), 3), dtype=np.float32)
    if frame.keypoints is None or frame.keypoints.shape[1] != len(KEYPOINTS):
        raise InputError(f"{path} has no keypoints of COCO's {len(KEYPOINTS)}: {REMEDY}")
    return frame.boxes, np.asarray(frame.keypoints, dtype=np.float32)


def match_persons(boxes: np.ndarray, parsed: np.ndarray, min_iou: float) -> np.ndarray:
    """The parsed person of each annotated one, one to one: pairs are taken by falling IoU, the first of equals.

    Args:
        boxes: (P, 4) annotated.
        parsed: (Q, 4), in the same pixels.
        min_iou: A pair of a lower IoU is none.

    Returns:
        (P,) positions among the parsed persons, -1 where there is none.
    """
    matches = np.full(len(boxes), -1, dtype=np.int64)
    iou = pairwise_iou(boxes, parsed)
    order = np.argsort(-iou, axis=None, kind="stable")
    for person, found in zip(*(axis.tolist() for axis in np.unravel_index(order, iou.shape))):
        if iou[person, found] < min_iou:
            break
        if matches[person] < 0 and found not in matches:
            matches[person] = found
    return matches


def keypoints_of(person: int, matches: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Keypoints (J, 3) of an annotated person; all zero, which is to say unknown, where no parsed one is matched.

    Args:
        person: Position among the annotated.
        matches: (P,) as :func:`match_persons` gives them.
        keypoints: (Q, J, 3).
    """
    found = int(matches[person])
    return keypoints[found].copy() if found >= 0 else np.zeros(keypoints.shape[1:], dtype=np.float32)
