"""Stages of clips: they say beforehand which frames they will read, and get them from the one pass over the video.

Shapes: L frames of a clip's views, H x W pixels; C crops of a frame, h x w pixels of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmengine.dataset import Compose
from torch import Tensor

from ..datasets.video import Video
from ..structures import VideoParse
from .base import NetworkStage
from .preparation.clips import ClipPreparation

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

    def classify(self, batch: ClipBatch, source: HeldFrames) -> Any:
        """What the network says of a batch whose frames ``source`` gives."""
        raise NotImplementedError

    def write(self, video: Video, parse: VideoParse, results: list[Any]) -> None:
        """Put what was said of all batches into the record."""
        raise NotImplementedError

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """All of it for a video by itself, decoded for this stage alone."""
        source = HeldFrames(video, self.preparation())
        results = [self.classify(batch, source) for batch in self.clip_batches(video)]
        self.write(video, parse, results)

    def preparation(self) -> ClipPreparation | None:
        """How the stage sees single frames; None for one that takes them as they are."""
        prepare = self.network.preparation("clip")
        return prepare.of_frames() if isinstance(prepare, ClipPreparation) else None


class HeldFrames:
    """Frames of a pass that clips still need, as small as the networks see them.

    Args:
        video: Gives the frames that were not announced.
        preparation: How frames are held; None for as they are.
    """

    def __init__(self, video: Video, preparation: ClipPreparation | None = None) -> None:
        self.video = video
        self.preparation = preparation
        self._held: dict[int, Tensor] = {}

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """The frames with these numbers, in the order asked, as (L, H, W, 3) uint8 RGB."""
        if self.preparation is not None or not self._has(numbers):
            return self.video.frames(numbers)
        return torch.stack([self._held[number] for number in numbers]).numpy()

    def prepared(self, numbers: Sequence[int]) -> Tensor:
        """The same as (L, C, 3, h, w) uint8, as :meth:`ClipPreparation.frames` gives them.

        Raises:
            ValueError: If frames are held as they are.
        """
        if self.preparation is None:
            raise ValueError("frames are held as they are: tell how they are to be prepared")
        if not self._has(numbers):
            return self.preparation.frames(list(self.video.frames(numbers)))
        return torch.stack([self._held[number] for number in numbers])

    def _has(self, numbers: Sequence[int]) -> bool:
        return all(number in self._held for number in numbers)

    def keep(self, numbers: Sequence[int], images: np.ndarray, wanted: set[int]) -> None:
        """Take the wanted ones of a window's frames."""
        rows = [row for row, number in enumerate(numbers) if number in wanted]
        if not rows:
            return
        if self.preparation is None:
            pictures = torch.from_numpy(images)[rows]
        else:
            pictures = self.preparation.frames([images[row] for row in rows])
        for row, picture in zip(rows, pictures):
            self._held[numbers[row]] = picture.clone()  # a view would hold all of them

    def forget(self, wanted: set[int]) -> None:
        """Drop what is no longer wanted."""
        for number in [number for number in self._held if number not in wanted]:
            del self._held[number]


class ClipPlan:
    """The clips of some stages in one pass over a video: each batch is looked at as soon as its last frame is there.

    Stages that see frames alike, such as the recognizers of several part groups, share those that are held.
    """

    def __init__(self, stages: Sequence[ClipStage], video: Video) -> None:
        self.video = video
        self.kinds = [stage.preparation() for stage in stages]
        self.held = {kind: HeldFrames(video, kind) for kind in self.kinds}
        self.results: dict[int, list[Any]] = {place: [] for place in range(len(stages))}
        self.stages = stages
        self._left = {place: stage.clip_batches(video) for place, stage in enumerate(stages)}

    def wanted(self) -> set[int]:
        """Numbers of the frames that are still needed."""
        return set().union(*map(self._wanted, self.held))

    def _wanted(self, kind: ClipPreparation | None) -> set[int]:
        """Those of them that are held in one way."""
        own = [left for place, left in self._left.items() if self.kinds[place] == kind]
        return {number for left in own for batch in left for number in batch.numbers}

    def see(self, numbers: Sequence[int], images: np.ndarray) -> None:
        """Take a window's frames and look at the batches that are whole with them."""
        for kind, held in self.held.items():
            held.keep(numbers, images, self._wanted(kind))
        self._classify(numbers[-1])
        for kind, held in self.held.items():
            held.forget(self._wanted(kind))

    def finish(self, parse: VideoParse) -> None:
        """Look at what asked for no frames, and write the results of all stages."""
        self._classify(self.video.num_frames)
        for place, stage in enumerate(self.stages):
            stage.write(self.video, parse, self.results[place])

    def _classify(self, last: int) -> None:
        for place, stage in enumerate(self.stages):
            left, held = self._left[place], self.held[self.kinds[place]]
            while left and (left[0].numbers or [self.video.num_frames])[-1] <= last:
                self.results[place].append(stage.classify(left[0], held))
                left.pop(0)


def choose_frames(network: TrainedNetwork, samples: list[dict[str, Any]]) -> ClipBatch:
    """A batch of samples, such as :func:`.clip_sample` gives, with the frames chosen that the network looks at."""
    place = _decoder(network)
    if place is None:
        return ClipBatch(samples, [])
    choose = Compose(network.pipeline.transforms[:place])
    chosen = [choose(sample) for sample in samples]
    return ClipBatch(chosen, sorted({int(number) for sample in chosen for number in sample["frame_inds"]}))


def clip_results(network: TrainedNetwork, batch: ClipBatch, source: HeldFrames) -> list[Any]:
    """What a recognizer says of each sample of a batch.

    Args:
        network: The recognizer.
        batch: Of :func:`choose_frames`.
        source: Gives the frames.
    """
    place = _decoder(network)
    if place is None:
        return network.predict([network.pipeline(dict(sample)) for sample in batch.samples])
    prepare = network.preparation("clip")
    if isinstance(prepare, ClipPreparation):
        row_of = {number: row for row, number in enumerate(batch.numbers)}
        rows = [[row_of[number] for number in sample["frame_inds"].tolist()] for sample in batch.samples]
        known = [dict(sample, original_shape=source.video.size) for sample in batch.samples]
        return network.predict_batch(prepare.clips(source.prepared(batch.numbers), known, rows))
    rest = Compose(network.pipeline.transforms[place:])
    return network.predict([rest(dict(sample, source=source)) for sample in batch.samples])


def _decoder(network: TrainedNetwork) -> int | None:
    """Where in the test pipeline frames are decoded; None where no transform does, as in those of flow."""
    kinds = [str(step["type"]).rpartition(".")[2] for step in network.config.test_pipeline]
    return kinds.index(DECODER) if DECODER in kinds else None
