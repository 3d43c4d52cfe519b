"""Keypoints that a parsing run has saved, for the annotated persons of a data set.

Shapes: P annotated and Q parsed persons in a frame, J = 17 COCO keypoints of (x, y, score). Boxes are float ``xyxy`` in
pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..structures import VideoParse, pairwise_iou
from ..structures.keypoints import CONFIDENT, KEYPOINTS, is_confident
from .index import VideoEntry

KEPT_RECORDS = 256
"""Records in memory; one of 151 frames with two persons has some 70 kB."""
REMEDY = "run the pose stage over these videos again, as tools/reproduce.py does"
WATCHED = 200
"""Samples without any keypoint after which training is warned."""


def load_keypoints(path: Path, entry: VideoEntry, remedy: str = REMEDY) -> VideoParse:
    """The record of a video, with boxes and COCO's keypoints of every person.

    A record of size (0, 0), which does not say in whose pixels it is, is taken to be in the annotation's.

    Args:
        path: Of the record.
        entry: The video.
        remedy: What to do about a record that cannot be used.

    Raises:
        InputError: If there is none, or it is broken, of another video, of other frames, or without keypoints.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: {remedy}")
    parse = VideoParse.load(path)
    if parse.error or not parse.frames:
        raise InputError(f"{path} holds no parsed frame ({parse.error or 'it is empty'}): {remedy}")
    if parse.size == (0, 0):
        parse.size = entry.size
    told = _misfit(parse, entry)
    if told:
        raise InputError(f"{path} {told}: {remedy}")
    for frame in parse.frames:
        if len(frame) and (frame.keypoints is None or frame.keypoints.shape[1] != len(KEYPOINTS)):
            raise InputError(f"{path} has no keypoints of COCO's {len(KEYPOINTS)}: {remedy}")
    return parse


def _misfit(parse: VideoParse, entry: VideoEntry) -> str:
    """In what a record is not of a video; nothing where it is."""
    if parse.video != entry.name:
        return f"is of video {parse.video}, not of {entry.name}"
    # An annotation may use less than the file has. 0: the record does not say.
    if parse.num_frames and not entry.num_frames <= parse.num_frames <= max(entry.num_frames, entry.facts.num_frames):
        return f"is of a video of {parse.num_frames} frames, and {entry.path} has {entry.num_frames}"
    (height, width), (own_height, own_width) = entry.size, parse.size
    # Sides of frames that were parsed at another size are rounded by up to a pixel.
    if min(parse.size) < 1 or abs(own_height * width - own_width * height) > height + width:
        return f"is of frames of {own_width} x {own_height} pixels, and {entry.path} has {width} x {height}"
    return ""


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

    def frame(self, entry: VideoEntry, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Persons of a frame.

        Args:
            entry: The video.
            number: Of the frame, from 1.

        Returns:
            Boxes (Q, 4) and keypoints (Q, J, 3), float32, in annotated pixels.

        Raises:
            InputError: If there is no record, it does not fit, or it lacks the frame; see :func:`load_keypoints`.
        """
        own_size, frames = self._record(entry)
        if number not in frames:
            raise InputError(f"{self.path(entry.name)} has no frame {number}: {REMEDY}")
        boxes, keypoints = frames[number]
        factor = np.array([entry.size[1] / own_size[1], entry.size[0] / own_size[0]], dtype=np.float32)
        return boxes * np.tile(factor, 2), keypoints * np.append(factor, np.float32(1))

    def _read(self, entry: VideoEntry) -> tuple[tuple[int, int], dict[int, tuple[np.ndarray, np.ndarray]]]:
        parse = load_keypoints(self.path(entry.name), entry)
        # A frame in which nobody was found may lack the field.
        nobody = np.zeros((0, len(KEYPOINTS), 3), dtype=np.float32)
        return parse.size, {
            frame.frame_index: (frame.boxes, np.asarray(frame.keypoints, np.float32) if len(frame) else nobody)
            for frame in parse.frames
        }

    def __getstate__(self) -> dict[str, object]:
        """Without what is in memory, for a loader's process that is not forked."""
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(state["folder"])  # type: ignore[misc, arg-type]


class KeypointWatch:
    """Tells once, with a warning, that none of the first samples has a confident keypoint.

    Args:
        folder: That the warning names.
        samples: Number of samples of the data set; of fewer than :data:`WATCHED` all are looked at.
    """

    def __init__(self, folder: Path, samples: int) -> None:
        self.folder, self.wanted = folder, min(WATCHED, samples)
        self._seen: set[int] | None = set()

    def see(self, index: int, keypoints: np.ndarray) -> None:
        """Look at the keypoints (J, 3) of sample ``index``."""
        if self._seen is None:
            return
        self._seen.add(index)
        if is_confident(keypoints[:, 2], CONFIDENT).any():
            self._seen = None
        elif len(self._seen) >= self.wanted:
            self._seen = None
            from mmengine.logging import print_log  # brings torch, which tools that only read files do without

            told = f"{self.folder}: none of the first {self.wanted} persons has a keypoint of score {CONFIDENT} or more"
            remedy = "train the person detector and the pose stage longer, or look at these records"
            print_log(f"{told}: {remedy}", logger="current", level=logging.WARNING)


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
