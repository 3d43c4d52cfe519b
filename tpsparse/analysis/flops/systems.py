"""What a system costs: its networks by the frame, the person, the segment and the video, and by the second of video.

A second of video has ``fps / step`` parsed frames, each with ``persons`` persons. What is done once a video is spread
over its ``duration``. Segments are counted as ``duration / seconds``, at least one: the mean over a data set whose
durations spread, and a fraction. One video of that duration is cut into a whole number, which is told beside it as
``cut`` (:func:`cut_of`): :class:`EqualSegments` of 3 s cuts 9.91 s at 15 frames a second into 3 and 3.30 are counted.
Frame-level prediction (:class:`FrameSegments`) is counted as whole clips in each segment of the length that its
recognizer was trained with: 22 in 3 s at every second frame, so 72.67 in 9.91 s, where such a video gets 75.

The PCF report's table III fits these numbers: 11.50 / 3.482 = 3.30 segments of 3 s for one of 10 s, so videos of 9.91 s
on average (3.33 for videos of 10 s); and 36.12 / 11.50 = 3.14 = 22 / 7, so 22 clips of frame-level prediction in place
of a segment's seven: every second frame, as in a clip itself, of the 45 in 3 s at 15 frames a second. Its 3.482 TFLOPs
of a segment are 32 times the 108.8 G that Tran et al. (2019, CSN) give one clip of ip-CSN-152, and that are counted
here; the report does not say where 32 comes from. Seven clips and six part groups are 42.

Not counted, besides what :mod:`.networks` leaves out: stages without a network, optical flow, MediaPipe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...datasets.segments import EqualSegments, FrameSegments, Segmenter
from ...engine import load_config
from ...errors import InputError
from ...registry import FRAME_SAMPLERS, SEGMENTERS
from ...taxonomy import Taxonomy
from .networks import PERSONS, Complexity, network_complexity, some_labels

FPS = 15.0
"""Frames a second that fit the PCF report, and the 151 frames of an average video of Kinetics-TPS."""
DURATION = 9.91
"""Seconds of an average video that fit the PCF report."""
BY_SEGMENT = "ClassifySegments"
NOT_COUNTED = ("EstimatePoseMediaPipe",)


@dataclass(frozen=True)
class Video:
    """What a video is like on average.

    Args:
        fps: Frames a second.
        duration: Seconds.
        persons: In a frame.
        step: Every how many frames are parsed; as the system's config says if None.
    """

    fps: float = FPS
    duration: float = DURATION
    persons: int = PERSONS
    step: int | None = None


@dataclass(frozen=True)
class StageCost:
    """What one stage costs.

    Args:
        stage: Its kind or, where there may be several, its name.
        network: What one input of its network costs; None without one.
        inputs: How many inputs a second of video has.
        cut: Into how many segments one video of the average duration is cut; None for a stage that cuts none.
    """

    stage: str
    network: Complexity | None
    inputs: float
    cut: int | None = None

    @property
    def multiply_adds(self) -> float:
        """Of a second of video."""
        return 0.0 if self.network is None else self.network.multiply_adds * self.inputs

    @property
    def about(self) -> str:
        """What is counted."""
        if self.network is not None:
            return f"{self.network.unit}s"
        return "not counted" if self.stage in NOT_COUNTED else "no network"

    def to_json(self) -> dict[str, Any]:
        """As files hold it."""
        config = None if self.network is None else self.network.config
        numbers = dict(inputs_a_second=self.inputs, multiply_adds_a_second=self.multiply_adds)
        return dict(stage=self.stage, config=config, about=self.about, cut=self.cut, **numbers)


def system_complexity(config: str | Path, taxonomy: Taxonomy) -> list[Complexity]:
    """Count the network of each stage that has one, in the order of the stages.

    Raises:
        InputError: If the config is of no system.
    """
    return [cost.network for cost in system_costs(config, taxonomy) if cost.network is not None]


def system_costs(config: str | Path, taxonomy: Taxonomy, video: Video | None = None) -> list[StageCost]:
    """What each stage of a system costs, in order.

    Args:
        config: A system config.
        taxonomy: Its numbers of names.
        video: An average video; that of the PCF report if None.

    Raises:
        InputError: If the config is of no system.
    """
    cfg = load_config(config, taxonomy=taxonomy)
    if "stages" not in cfg.get("model", {}):
        raise InputError(f"config {config} is of no system: give one of configs/systems/")
    video = video or Video()
    frames = _parsed_frames(cfg, video)
    counted: dict[str, Complexity] = {}  # several stages may have one network, or one config
    return [_stage_cost(stage, taxonomy, video, frames=frames, counted=counted) for stage in cfg.model.stages]


def total(stages: Sequence[Complexity], unit: str, persons: int = PERSONS) -> int:
    """Multiply-adds of a system for one ``frame`` with ``persons`` persons, or for one ``video`` besides its frames.

    Segments are left out: how many a video has is not a matter of the system alone.
    """
    if unit == "video":
        return sum(stage.multiply_adds for stage in stages if stage.unit == "video")
    factors = dict(frame=1, person=persons)
    return sum(stage.multiply_adds * factors.get(stage.unit, 0) for stage in stages)


def segments_a_second(segmenter: Any, video: Video, seconds: float | None) -> float:
    """How many segments a recognizer of part states looks at in a second of video, in the mean over a data set.

    Args:
        segmenter: How videos are cut.
        video: An average video.
        seconds: Length of the segments that the recognizer was trained on; None for whole videos.

    Raises:
        InputError: If it is none of the segmenters whose numbers are known.
    """
    if isinstance(segmenter, EqualSegments):
        return _equal_segments(segmenter.seconds, video) / video.duration
    if isinstance(segmenter, FrameSegments):
        length = video.duration if seconds is None else min(seconds, video.duration)
        clips = max(1, int(length * video.fps / segmenter.step))
        return clips * _equal_segments(seconds, video) / video.duration
    raise InputError(f"{type(segmenter).__name__} cuts a video into an unknown number of segments: it is not counted")


def cut_of(segmenter: Segmenter, video: Video) -> int:
    """How many segments one video of this duration and frame rate is really cut into."""
    return len(segmenter(round(video.fps * video.duration), video.fps))


def _equal_segments(seconds: float | None, video: Video) -> float:
    return 1.0 if seconds is None else max(1.0, video.duration / seconds)


def _stage_cost(
    stage: Any, taxonomy: Taxonomy, video: Video, *, frames: float, counted: dict[str, Complexity]
) -> StageCost:
    name = stage.get("name", stage.type)
    if "config" not in stage:
        return StageCost(name, None, 0.0)
    options = {**stage.get("train_options", {}), **stage.get("options", {})}
    key = f"{stage.config} {stage.get('options', {})}"
    if key not in counted:
        counted[key] = network_complexity(stage.config, taxonomy, options=options)
    network = counted[key]
    if stage.type.rpartition(".")[2] == BY_SEGMENT:
        cfg = load_config(stage.config, taxonomy=taxonomy, options=options, label_table=some_labels(taxonomy))
        segmenter = SEGMENTERS.build(stage.get("segments") or cfg.test_dataloader.dataset.segments)
        inputs = segments_a_second(segmenter, video, cfg.get("seconds"))
        return StageCost(name, replace(network, unit="segment"), inputs, cut_of(segmenter, video))
    a_second = dict(frame=frames, person=video.persons * frames, video=1 / video.duration)
    return StageCost(name, network, a_second[network.unit])


def _parsed_frames(cfg: Config, video: Video) -> float:
    """Frames parsed in a second: the system's own, and what stages ask for besides."""
    given = dict(cfg.model.frames)
    if video.step is not None:
        given = dict(type="EveryFrame", step=video.step)
    askers = [given, *(stage.frames for stage in cfg.model.stages if "frames" in stage)]
    if len(askers) == 1 and given["type"] == "EveryFrame":
        return video.fps / given.get("step", 1)
    num_frames = max(1, round(video.fps * video.duration))
    wanted = {number for asker in askers for number in FRAME_SAMPLERS.build(dict(asker))(num_frames)}
    return len(wanted) / video.duration
