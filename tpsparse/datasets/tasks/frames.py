"""Samples that are each of one annotated frame, or of one person in it.

Shapes: P persons in a frame, K parts, C names in the list of objects, N boxes in a frame.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ...registry import DATASETS
from ...taxonomy import Taxonomy
from ..base import TPSDataset, refuse_empty
from ..frame_pool import FramePool, pool_of_all
from ..index import VideoEntry
from ..keypoints import KeypointWatch, SavedKeypoints, keypoints_of, match_persons


class FrameDataset(TPSDataset):
    """Samples that are each of one annotated frame.

    Attributes:
        frames: (len,) frame row of each sample, in rising order.
        pool: Decoded frames that are kept; None where samples come in any order. Of a data set whose frames have room
            all together they are kept in any order.
    """

    frames: np.ndarray
    pool: FramePool | None = None

    def expect_pools(self) -> None:
        """Samples of a few videos are going to follow each other: keep their frames."""
        self.pool = FramePool()

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return self.index.frame_video[self.frames]

    def read_frame(self, index: int) -> tuple[VideoEntry, int, np.ndarray, np.ndarray]:
        """A sample's video, frame number, picture (H, W, 3) and the factor (4,) from annotated pixels to its pixels."""
        frame = int(self.frames[index])
        entry, number = self.index.video_of(frame), int(self.index.frame_number[frame])
        source = self.source(entry)
        scale = np.array([source.size[1] / entry.size[1], source.size[0] / entry.size[0]] * 2, dtype=np.float32)
        pool = self.pool or self._pool_of_all
        if pool is None:
            return entry, number, source.frames([number])[0], scale
        return entry, number, pool.frame(source, number, lambda: self._numbers_of(entry)).copy(), scale

    def detection_item(self, index: int) -> tuple[dict[str, Any], np.ndarray]:
        """A sample in mmdet's terms without boxes, and the factor (4,) from annotated pixels to its pixels."""
        entry, number, image, scale = self.read_frame(index)
        size = image.shape[:2]
        item = dict(img=image, img_shape=size, ori_shape=size, img_id=index, img_path=str(entry.path))
        return dict(item, video=entry.name, frame_index=number, action=entry.action), scale

    @cached_property
    def _pool_of_all(self) -> FramePool | None:
        videos = self.index.frame_video[np.unique(self.frames)]
        counts = np.bincount(videos, minlength=len(self.index.videos))
        return pool_of_all(counts, np.array([entry.size for entry in self.index.videos]))

    def _numbers_of(self, entry: VideoEntry) -> list[int]:
        """Numbers of the frames of a video that samples are of, rising."""
        start, stop = np.searchsorted(self.frames, [entry.frames.start, entry.frames.stop])
        return np.unique(self.index.frame_number[self.frames[start:stop]]).tolist()


@DATASETS.register_module()
class TPSPersonDataset(FrameDataset):
    """Frames with persons and the video's action, in mmdet's terms.

    Args:
        frame_step: Every how many frames of a video are used; 5 is what the challenge evaluates.
    """

    def __init__(self, *, frame_step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        rows = self.index.frames
        self.frames = rows[(self.index.frame_number[rows] - 1) % frame_step == 0]
        refuse_empty(self.frames, "annotated frame", self)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names, with those of the detector's classes where mmdet looks for them."""
        return dict(super().metainfo, classes=("person",))

    def __len__(self) -> int:
        return len(self.frames)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), its persons' boxes (P, 4) and its video's action."""
        item, scale = self.detection_item(index)
        return dict(item, boxes=self.index.boxes[self.index.persons_of(int(self.frames[index]))] * scale)


@DATASETS.register_module()
class TPSPartObjectDataset(FrameDataset):
    """Frames with the boxes of all parts and objects, in mmdet's terms.

    Classes are the K parts, then the C names of the list of objects; one of them may be ``none``, for things that the
    list does not name.

    Args:
        frame_step: Every how many frames of a video are used.
        skip_empty: Leave out frames without a part and without an object, of which a detector learns little.
    """

    def __init__(self, *, frame_step: int = 1, skip_empty: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        rows = self.index.frames
        if skip_empty:
            rows = rows[np.isin(rows, self._frames_with_boxes())]
        self.frames = rows[(self.index.frame_number[rows] - 1) % frame_step == 0]
        kind = "frame with an annotated part or object" if skip_empty else "annotated frame"
        refuse_empty(self.frames, kind, self)
        names = self.taxonomy
        self.flip_labels = np.concatenate([names.flip_parts, len(names.parts) + np.arange(len(names.objects))])

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names, with those of the detector's classes where mmdet looks for them."""
        return dict(super().metainfo, classes=part_object_classes(self.taxonomy))

    def __len__(self) -> int:
        return len(self.frames)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), boxes (N, 4) and labels (N,) of its parts, then objects, and the twin of each class."""
        item, scale = self.detection_item(index)
        frame = int(self.frames[index])
        parts = self.index.parts_of(self.index.persons_of(frame))
        part, _ = self.index.part_labels(parts)
        objects = self.index.frame_objects(frame)
        boxes = np.concatenate([self.index.part_box[parts][part >= 0], objects.boxes])
        labels = np.concatenate([part[part >= 0], len(self.taxonomy.parts) + objects.labels])
        return dict(item, boxes=boxes * scale, labels=labels, flip_labels=self.flip_labels)

    def _frames_with_boxes(self) -> np.ndarray:
        """Rows of the frames of this split that have a part or an object with an id."""
        parts, objects = self.index.parts, self.index.objects
        objects = objects[self.index.object_id[objects] >= 0]
        return np.union1d(self.index.person_frame[self.index.part_person[parts]], self.index.object_frame[objects])


def part_object_classes(taxonomy: Taxonomy) -> tuple[str, ...]:
    """(K + C,) classes of a detector of parts and objects, by name; an object that is called like a part says so."""
    return (*taxonomy.parts, *(f"{name} (object)" if name in taxonomy.part_ids else name for name in taxonomy.objects))


@DATASETS.register_module()
class TPSPartDataset(FrameDataset):
    """Persons with their part boxes and states, and maybe keypoints; the pipeline crops them out.

    Args:
        frame_step: Every how many frames of a video are used.
        keypoints: Folder of saved parses of these videos with boxes and keypoints; None for samples without keypoints.
        keypoint_iou: A parsed person of at least that IoU with an annotated one gives it its keypoints, one to one, the
            highest IoU first. An annotated person whom none is like has unknown keypoints.
    """

    def __init__(
        self, *, frame_step: int = 1, keypoints: str | None = None, keypoint_iou: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.keypoint_iou = keypoint_iou
        self.keypoints = None if keypoints is None else SavedKeypoints(keypoints)
        if self.keypoints is not None:
            self.keypoints.check_any(entry.name for entry in self.index.videos)
        labelled = np.unique(self.index.part_person[self.index.parts])
        numbers = self.index.frame_number[self.index.person_frame[labelled]]
        self.rows = labelled[(numbers - 1) % frame_step == 0]
        self.frames = self.index.person_frame[self.rows]
        refuse_empty(self.rows, "person with an annotated part", self)
        self._watch = None if self.keypoints is None else KeypointWatch(self.keypoints.folder, len(self))
        self._training = False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | tuple[int, int]) -> Any:
        """The item after the pipeline, see :class:`TPSDataset`."""
        self._training = isinstance(key, tuple)  # only training has seeds
        return super().__getitem__(key)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), one person's box (4,), part boxes (K, 4) and states (K,), maybe keypoints (J, 3).

        Raises:
            InputError: If the frame cannot be read, or there is no record of its keypoints.
        """
        person = int(self.rows[index])
        entry, number, image, scale = self.read_frame(index)
        part_boxes, part_states = self.index.person_parts(person)
        sample = dict(
            img=image,
            video=entry.name,
            frame_index=number,
            box=self.index.boxes[person] * scale,
            part_boxes=part_boxes * scale,
            part_states=part_states,
            flip_parts=self.taxonomy.flip_parts,
        )
        if self.keypoints is not None:
            keypoints = self._pose(entry, number, index)
            if self._watch is not None and self._training:
                self._watch.see(index, keypoints)
            sample["keypoints"] = keypoints * np.append(scale[:2], np.float32(1))
        return sample

    def _pose(self, entry: VideoEntry, number: int, index: int) -> np.ndarray:
        """Keypoints (J, 3) of a sample's person in annotated pixels."""
        assert self.keypoints is not None
        parsed, keypoints = self.keypoints.frame(entry, number)
        persons = self.index.persons_of(int(self.frames[index]))
        matches = match_persons(self.index.boxes[persons], parsed, self.keypoint_iou)
        return keypoints_of(int(self.rows[index]) - persons.start, matches, keypoints)
