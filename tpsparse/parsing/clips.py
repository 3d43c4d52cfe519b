"""Stages of clips: they say beforehand which frames they will read, and get them from the one pass over the video.

Shapes: L frames of a clip's views, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.dataset import Compose

from ..datasets.base import FrameSource
from ..datasets.video import Video
from ..structures import VideoParse
from .base import NetworkStage

if TYPE_CHECKING:
    from .network import TrainedNetwork

DECODER = "DecodeFrames"
"""The transform that reads the frames that those before it have chosen."""


@dataclass(frozen=True)
class ClipBatch:
    """What one call of a recognizer looks at.

    Args:
        samples: In mmaction2's terms, with the frames chosen (``frame_inds``).
        numbers: Of all frames that are read, rising; none where the transforms read for themselves, as flow does.
    """

    samples: list[dict[str, Any]]
    numbers: list[int]


class ClipStage(NetworkStage):
    """A stage that looks at clips of the video: :meth:`clip_batches` names them, :meth:`classify` sees one batch."""

    def clip_batches(self, video: Video) -> list[ClipBatch]:
        """What is looked at, in the order of the video."""
        raise NotImplementedError

    def classify(self, batch: ClipBatch, source: FrameSource | HeldFrames) -> Any:
        """What the network says of a batch whose frames ``source`` gives."""
        raise NotImplementedError

    def write(self, video: Video, parse: VideoParse, results: list[Any]) -> None:
        """Put what was said of all batches into the record."""
        raise NotImplementedError

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """All of it for a video by itself, decoded for this stage alone."""
        results = [self.classify(batch, video) for batch in self.clip_batches(video)]
        self.write(video, parse, results)


class HeldFrames:
    """Frames of a pass that clips still need; a :data:`FrameSource` for the transforms.

    Args:
        video: Gives the frames that were not announced.
    """

    def __init__(self, video: Video) -> None:
        self.video = video
        self._held: dict[int, np.ndarray] = {}

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """The frames with these numbers, in the order asked, as (L, H, W, 3) uint8 RGB."""
        if any(number not in self._held for number in numbers):
            return self.video.frames(numbers)
        return np.stack([self._held[number] for number in numbers])

    def keep(self, numbers: Sequence[int], images: np.ndarray, wanted: set[int]) -> None:
        """Take the wanted ones of a window's frames."""
        for number, image in zip(numbers, images):
            if number in wanted:
                self._held[number] = image.copy()  # a view would hold the whole window

    def forget(self, wanted: set[int]) -> None:
        """Drop what is no longer wanted."""
        for number in [number for number in self._held if number not in wanted]:
            del self._held[number]


class ClipPlan:
    """The clips of some stages in one pass over a video: each batch is looked at as soon as its last frame is there."""

    def __init__(self, stages: Sequence[ClipStage], video: Video) -> None:
        self.video = video
        self.held = HeldFrames(video)
        self.results: dict[int, list[Any]] = {place: [] for place in range(len(stages))}
        self.stages = stages
        self._left = {place: stage.clip_batches(video) for place, stage in enumerate(stages)}

    def wanted(self) -> set[int]:
        """Numbers of the frames that are still needed."""
        return {number for left in self._left.values() for batch in left for number in batch.numbers}

    def see(self, numbers: Sequence[int], images: np.ndarray) -> None:
        """Take a window's frames and look at the batches that are whole with them."""
        self.held.keep(numbers, images, self.wanted())
        self._classify(numbers[-1])
        self.held.forget(self.wanted())

    def finish(self, parse: VideoParse) -> None:
        """Look at what asked for no frames, and write the results of all stages."""
        self._classify(self.video.num_frames)
        for place, stage in enumerate(self.stages):
            stage.write(self.video, parse, self.results[place])

    def _classify(self, last: int) -> None:
        for place, stage in enumerate(self.stages):
            left = self._left[place]
            while left and (left[0].numbers or [self.video.num_frames])[-1] <= last:
                self.results[place].append(stage.classify(left[0], self.held))
                left.pop(0)


def choose_frames(network: TrainedNetwork, samples: list[dict[str, Any]]) -> ClipBatch:
    """A batch of samples, such as :func:`.clip_sample` gives, with the frames chosen that the network looks at."""
    place = _decoder(network)
    if place is None:
        return ClipBatch(samples, [])
    choose = Compose(network.pipeline.transforms[:place])
    chosen = [choose(sample) for sample in samples]
    return ClipBatch(chosen, sorted({int(number) for sample in chosen for number in sample["frame_inds"]}))


def clip_results(network: TrainedNetwork, batch: ClipBatch, source: FrameSource | HeldFrames) -> list[Any]:
    """What a recognizer says of each sample of a batch.

    Args:
        network: The recognizer.
        batch: Of :func:`choose_frames`.
        source: Gives the frames.
    """
    place = _decoder(network)
    if place is None:
        return network.predict([network.pipeline(dict(sample)) for sample in batch.samples])
    decode, rest = network.pipeline.transforms[place], Compose(network.pipeline.transforms[place + 1 :])
    decoded = [decode(dict(sample, source=source)) for sample in batch.samples]
    prepare = network.preparation("clip")
    if prepare is not None:
        return network.predict_batch(prepare(decoded))
    return network.predict([rest(sample) for sample in decoded])


def _decoder(network: TrainedNetwork) -> int | None:
    """Where in the test pipeline frames are decoded; None where no transform does, as in those of flow."""
    kinds = [str(step["type"]).rpartition(".")[2] for step in network.config.test_pipeline]
    return kinds.index(DECODER) if DECODER in kinds else None
