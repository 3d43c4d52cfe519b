"""Actions of a video: from its clips, from the features of earlier stages, and from all together.

Shapes: A actions, D feature channels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.tasks import clip_sample, feature_sample
from ..datasets.tasks.features import STATE_FEATURE
from ..datasets.video import Video
from ..errors import InputError
from ..registry import FRAME_SAMPLERS, STAGES
from ..structures import VideoParse
from ..taxonomy import Taxonomy
from .base import NetworkStage, Stage
from .clips import ClipBatch, ClipStage, HeldFrames, choose_frames, clip_results
from .network import load_network


@STAGES.register_module()
class ClassifyVideo(ClipStage):
    """Run a video recognizer on clips of the video.

    Args:
        name: What its action scores and its feature are called in the record.
        config: Config that the recognizer was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
    """

    def __init__(
        self,
        *,
        name: str,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.name = name
        self.gives = [f"action:{name}", f"feature:{name}"]

    def clip_batches(self, video: Video) -> list[ClipBatch]:
        """All clips of the video, in one batch."""
        sample = clip_sample(video.path, video.name, video.num_frames, video.fps, label=-1)
        return [choose_frames(self.network, [sample])]

    def classify(self, batch: ClipBatch, source: HeldFrames) -> Any:
        """The network's result."""
        [result] = clip_results(self.network, batch, source)
        return result

    def write(self, video: Video, parse: VideoParse, results: list[Any]) -> None:
        """Give the recognizer's action scores and its pooled feature."""
        [result] = results
        parse.action_scores[self.name] = result.pred_score.float().cpu().numpy()
        parse.features[self.name] = result.feature.float().cpu().numpy()


@STAGES.register_module()
class FuseFeatures(NetworkStage):
    """Run the multi-modal fusion on the features of earlier stages (DAP report, section 2.3).

    Args:
        name: What its action scores are called in the record.
        config: Config that the fusion network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        frames: Config of the frames whose features it takes.
    """

    def __init__(
        self,
        *,
        name: str = "fusion",
        config: str,
        checkpoint: str,
        frames: dict[str, Any],
        taxonomy: Taxonomy,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.name = name
        self.frames = FRAME_SAMPLERS.build(frames)
        self.max_persons = self.network.config.max_persons
        self.needs = [_field(feature) for feature in self.network.model.feature_names]
        self.gives = [f"action:{name}"]

    def frame_numbers(self, num_frames: int) -> list[int]:
        """The frames whose features are fused."""
        return self.frames(num_frames)

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give the action scores of the fusion."""
        wanted = set(self.frames(parse.num_frames))
        chosen = VideoParse(
            parse.video,
            frames=[frame for frame in parse.frames if frame.frame_index in wanted],
            features=parse.features,
        )
        sample = feature_sample(chosen, len(wanted), self.max_persons)
        [result] = self.network.predict([self.network.pipeline(dict(sample, video=parse.video, action=-1))])
        parse.action_scores[self.name] = result.action_scores.float().cpu().numpy()


@STAGES.register_module()
class EnsembleActions(Stage):
    """The system's action: the weighted mean of the action scores of earlier stages.

    Args:
        weights: Name of an action score to its weight, or the ``ensemble.json`` in which ``tools/ensemble.py`` has
            left the weights of one system's action scores.

    Raises:
        InputError: If no weight is positive, or the file cannot be used.
    """

    gives = ("action",)

    def __init__(self, *, weights: dict[str, float] | str, taxonomy: Taxonomy) -> None:
        self.weights = read_weights(weights) if isinstance(weights, str) else dict(weights)
        if not is_weighting(list(self.weights.values())):
            raise InputError(f"weights {self.weights} of EnsembleActions must not be negative, nor all zero")
        self.needs = [f"action:{name}" for name in self.weights]

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give the action."""
        scores = [parse.action_scores[name] for name in self.weights]
        parse.action_scores["action"] = weighted_mean(scores, list(self.weights.values()))


def _field(feature: str) -> str:
    """The field of a record that a feature is read from."""
    return "state_scores" if feature == STATE_FEATURE else f"feature:{feature}"


def weighted_mean(arrays: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The mean of arrays of one shape by weights that need not sum to 1, as float32."""
    total = sum(weights)
    return np.sum([weight / total * array for weight, array in zip(weights, arrays)], axis=0).astype(np.float32)


def is_weighting(weights: Sequence[float]) -> bool:
    """Whether weights make a mean: finite, none negative, not all zero."""
    array = np.array(list(weights), dtype=np.float64)
    return bool(np.isfinite(array).all() and (array >= 0).all() and array.sum() > 0)


def read_weights(path: str | Path) -> dict[str, float]:
    """Weights by action score from the ``ensemble.json`` of an ensemble within one system.

    Action scores of weight 0 are left out: a system that runs them needs no stage for them.

    Raises:
        InputError: If the file is missing, is no ``ensemble.json``, or is of several systems or of a system's own
            action, which no earlier stage gives.
    """
    try:
        members = json.loads(Path(path).read_text(encoding="utf-8"))["members"]
        found = [(str(member["folder"]), str(member["source"]), float(member["weight"])) for member in members]
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): fit weights with tools/ensemble.py") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no ensemble.json ({error}): fit weights with tools/ensemble.py") from error
    folders = {folder for folder, _, _ in found}
    if len(folders) > 1:
        raise InputError(
            f"{path} weighs {len(folders)} systems, but EnsembleActions one system's action scores: "
            "combine the saved parses with tools/ensemble.py"
        )
    if "action" in [source for _, source, _ in found]:
        raise InputError(
            f"{path} weighs the system's own action, which is what EnsembleActions is to give: "
            "fit with members written FOLDER:SOURCE"
        )
    return {source: weight for _, source, weight in found if weight != 0}
