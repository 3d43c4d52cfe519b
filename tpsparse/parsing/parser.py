"""A row of stages as the model of an ordinary mmengine test loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from ..datasets.video import Video
from ..engine.config import load_config
from ..errors import InputError, UnwritableError
from ..registry import FRAME_SAMPLERS, MODEL_WRAPPERS, MODELS, STAGES
from ..runtime import Runtime
from ..runtime.memory import keep_freed_memory
from ..structures import FrameParse, VideoParse
from ..structures.parse import read_metadata
from ..taxonomy import Taxonomy
from ..version import __version__
from .actions import read_weights
from .base import NetworkStage, Stage, check_row
from .clips import ClipStage
from .network import file_digest, find_checkpoint, fingerprint
from .passes import run_pass

DECISIVE = ("model", "test_pipeline", "tta_model", "group", "seconds")
"""What of a network's config a stage goes by."""
OF_THE_ROW = ("train_frames", "keep", "runtime")
"""What the config of a stage says to others: of which frames the records are made that its network learns from, which
:mod:`tpsparse.reproduction` reads, and where :class:`ActionParser` keeps the records as they are behind the stage, and
how it runs the stage's network."""


@dataclass(frozen=True)
class Keep:
    """Records as the first stages of a row leave them, for any system whose row begins alike.

    Args:
        stages: How many.
        folder: Where they are.
        fingerprint: What they follow from besides the video and the frames.
    """

    stages: int
    folder: Path
    fingerprint: str


# A wrapper of networks that need no gradients: mmengine does not wrap it in DistributedDataParallel again.
@MODEL_WRAPPERS.register_module()
@MODELS.register_module()
class ActionParser(BaseModel):
    """Fill a :class:`VideoParse` for each video by a row of stages.

    Args:
        stages: Configs of the stages, in order.
        frames: Config of the frames to parse besides those that stages want.
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them.
        save_dir: Where each video's record is kept; a record found there that was made by the same stages, weights
            and video is read instead of made again. So are the records behind a stage whose config names a folder as
            ``keep``: rows that begin alike, as those of an ablation, go on from there. Without ``save_dir`` nothing is
            kept.
        runtime: How the networks are run, see :meth:`Runtime.of`; a stage whose config has a ``runtime`` of its own
            changes these values for its network.

    Raises:
        InputError: If a stage needs what no earlier one gives, two stages keep their records in one folder, or a
            checkpoint cannot be used, or not in this runtime.
    """

    def __init__(
        self,
        *,
        stages: list[dict[str, Any]],
        frames: dict[str, Any],
        taxonomy: dict[str, list[str]],
        save_dir: str | None = None,
        runtime: str | Mapping[str, Any] | Runtime = "exact",
    ) -> None:
        super().__init__()
        names = Taxonomy.from_meta(taxonomy)
        self.runtime = Runtime.of(runtime)
        keep_freed_memory()  # windows and activations have the same sizes again and again
        self.stages: list[Stage] = [build_stage(stage, names) for stage in stages]
        for stage, config in zip(self.stages, stages):
            stage.use(self.runtime.changed(config.get("runtime", {})))
        check_row(self.stages)
        _check_keeps(stages)
        self.frames = FRAME_SAMPLERS.build(frames)
        self.save_dir = Path(save_dir) if save_dir else None
        made_by = [[_identity(config, names), _run_by(stage)] for stage, config in zip(self.stages, stages)]
        others = [stage.depends_on for stage in self.stages]
        self.fingerprint = fingerprint([__version__, taxonomy, frames, made_by, *filter(None, others)])
        self.keeps = [
            Keep(end, Path(stage["keep"]), fingerprint([__version__, taxonomy, made_by[:end], others[:end]]))
            for end, stage in enumerate(stages, start=1)
            if save_dir and stage.get("keep")
        ]

    def forward(self, *args: Any, **kwargs: Any) -> None:
        """Parsing is not differentiable; the loops call :meth:`test_step`."""
        raise NotImplementedError("an ActionParser is run by test_step or parse")

    def test_step(self, data: dict[str, list[Any]]) -> list[VideoParse]:
        """Parse a batch of videos given by path under ``video``."""
        return [self.parse(path) for path in data["video"]]

    val_step = test_step

    def parse(self, path: str | Path) -> VideoParse:
        """Parse one video; one that cannot be read gives a record with ``error`` and nothing else."""
        path = Path(path)
        try:
            video = Video(path)
            return self._parse_saved(video)
        except UnwritableError:  # no fault of the video
            raise
        except InputError as error:
            return VideoParse(path.stem, error=str(error))

    def _parse_saved(self, video: Video) -> VideoParse:
        if self.save_dir is None:
            return self.parse_video(video)
        file = _file(self.save_dir, video)
        stamp = fingerprint([self.fingerprint, file_digest(str(video.path))])
        parse = _saved_parse(file, stamp)
        if parse is not None:
            return parse
        parse = self.parse_video(video)
        parse.save(file, dict(stamp=stamp))
        return parse

    @torch.inference_mode()
    def parse_video(self, video: Video, *, keep_features: bool = True) -> VideoParse:
        """Run the stages on an opened video.

        Args:
            video: The video.
            keep_features: Whether the record has the features of all frames, as one that is saved must. Otherwise it
                has those that a stage of this row reads, and memory does not grow with the rest.

        Raises:
            InputError: If decoding ends before a wanted frame.
        """
        wanted = set(self.frames(video.num_frames))
        wanted.update(number for stage in self.stages for number in stage.frame_numbers(video.num_frames))
        numbers = sorted(wanted)
        kept = self._kept(video, numbers)
        done, parse = _furthest(kept) or (0, _empty_parse(video, numbers))
        for end in sorted({*kept, len(self.stages)}):
            if end > done:
                self._run(self.stages[done:end], video, parse, keep_features=keep_features or bool(kept))
                done = end
                if end in kept:
                    file, stamp = kept[end]
                    parse.save(file, dict(stamp=stamp))
        return parse

    def _kept(self, video: Video, numbers: list[int]) -> dict[int, tuple[Path, str]]:
        """Number of stages to the file in which the record behind them is kept, and its stamp."""
        if not self.keeps:
            return {}
        about = [numbers, file_digest(str(video.path))]
        return {
            keep.stages: (_file(keep.folder, video), fingerprint([keep.fingerprint, *about])) for keep in self.keeps
        }

    def _run(self, stages: list[Stage], video: Video, parse: VideoParse, *, keep_features: bool) -> None:
        """Some stages of the row, on the record that those before them have left."""
        forget = None if keep_features else self._forgetter(parse)
        for group in _groups(stages):
            if any(_sees(stage) for stage in group):
                run_pass(group, video, parse, batch_frames=self.runtime.batch_frames, forget=forget)
            for stage in group:
                if not isinstance(stage, ClipStage):
                    stage.parse_video(video, parse)

    def _forgetter(self, parse: VideoParse) -> Callable[[list[FrameParse]], None]:
        """What drops the features of frames that no stage will read: they would grow with the video."""
        asked = {number for stage in self.stages for number in stage.frame_numbers(parse.num_frames)}
        read = {name for stage in self.stages for name in stage.reads}
        read |= {need.removeprefix("feature:") for stage in self.stages if stage.sees_frames for need in stage.needs}

        def forget(frames: list[FrameParse]) -> None:
            for frame in (each for each in frames if each.frame_index not in asked):
                frame.features = {name: row for name, row in frame.features.items() if name in read}
                frame.person_features = {name: rows for name, rows in frame.person_features.items() if name in read}

        return forget


def _sees(stage: Stage) -> bool:
    """Whether it takes part in a pass over the video."""
    return stage.sees_frames or isinstance(stage, ClipStage)


def _groups(stages: Sequence[Stage]) -> list[list[Stage]]:
    """The row in stretches, each of which decodes the video at most once.

    Stages that see frames share a pass up to a stage of whole videos, whose results the next ones may go by. Those of
    clips need nothing of the others, so all behind the first pass take part in it.
    """
    groups: list[list[Stage]] = []
    for stage in stages:
        if not groups or (_sees(stage) and not _sees(groups[-1][-1])):
            groups.append([])
        groups[-1].append(stage)
    first = next((place for place, group in enumerate(groups) if _sees(group[0])), len(groups))
    for group in groups[first + 1 :]:
        clips = [stage for stage in group if isinstance(stage, ClipStage)]
        groups[first] = [*clips, *groups[first]]
        group[:] = [stage for stage in group if stage not in clips]
    return groups


def build_stage(stage: dict[str, Any], taxonomy: Taxonomy) -> Stage:
    """A stage from its config, without what that says to others (:data:`OF_THE_ROW`)."""
    own = {name: value for name, value in stage.items() if name not in OF_THE_ROW}
    return STAGES.build(own, default_args=dict(taxonomy=taxonomy))


def _check_keeps(stages: Sequence[dict[str, Any]]) -> None:
    """Refuse a folder that two stages keep their records in: each would overwrite the other's."""
    folders = [os.path.abspath(stage["keep"]) for stage in stages if stage.get("keep")]
    for folder in folders:
        if folders.count(folder) > 1:
            raise InputError(f"{folder} is the keep folder of two stages of a row: give each its own")


def _identity(stage: dict[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """What a stage's results depend on: its config, and its weights by content, wherever they lie."""
    identity = {name: value for name, value in stage.items() if name != "keep"}
    if "checkpoint" in identity:
        identity["checkpoint"] = file_digest(find_checkpoint(identity["checkpoint"], identity["config"]))
    if "config" in identity:
        options = {**identity.get("train_options", {}), **identity.get("options", {})}
        # The labels of a state recognizer are in its checkpoint.
        cfg = load_config(identity["config"], taxonomy=taxonomy, options=options, label_table={})
        identity["config"] = [cfg[name] for name in DECISIVE if name in cfg]
        identity["config"] += [value for name, value in _test_set(cfg).items() if name == "segments"]
    if isinstance(identity.get("weights"), str):
        identity["weights"] = read_weights(identity["weights"])
    return identity


def _run_by(stage: Stage) -> dict[str, Any] | None:
    """What a stage's network does run with on this machine, which may be other than what was asked for."""
    return stage.runtime.identity() if isinstance(stage, NetworkStage) else None


def _test_set(cfg: Config) -> dict[str, Any]:
    return cfg.get("test_dataloader", {}).get("dataset", {})


def _empty_parse(video: Video, numbers: Sequence[int]) -> VideoParse:
    """The record of a video of which nothing is known yet, with the frames to be parsed."""
    return VideoParse(
        video=video.name,
        size=video.size,
        num_frames=video.num_frames,
        fps=video.fps,
        frames=[FrameParse(number, boxes=torch.zeros(0, 4).numpy()) for number in numbers],
    )


def _furthest(kept: dict[int, tuple[Path, str]]) -> tuple[int, VideoParse] | None:
    """The whole record that the most stages have made, and how many these are; None where there is none."""
    for end in sorted(kept, reverse=True):
        parse = _saved_parse(*kept[end])
        if parse is not None:
            return end, parse
    return None


def _file(folder: Path, video: Video) -> Path:
    return folder / f"{video.name}.safetensors"


def _saved_parse(file: Path, stamp: str) -> VideoParse | None:
    """The record in a file, if there is a whole one with this stamp."""
    if not file.is_file():
        return None
    try:
        return VideoParse.load(file) if read_metadata(file).get("stamp") == stamp else None
    except InputError:
        return None
