"""Multi-modal fusion: a video's action from features of frames, persons and the video (DAP, section 2.3).

Shapes: N videos, T frames, P persons in a frame, D channels of a feature, A actions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...registry import MODELS
from .classifier import FeatureClassifier, masked_max
from .preprocessor import FRAME_MASK, PERSON_MASK


@MODELS.register_module()
class MultiModalFusion(FeatureClassifier):
    """Two fully connected layers for each feature of frames or persons, maxima, and one linear layer.

    Each MLP ends in a ReLU. Its outputs are at least 0, so 0 stands for what is absent in a maximum, and a frame
    without persons, or a video without frames, gives 0. The report names neither widths nor activation.

    Args:
        num_actions: A.
        frame_features: Name to D of features (N, T, D).
        person_features: Name to D of features (N, T, P, D).
        video_features: Name to D of features (N, D), which go to the linear layer as they are.
        mlp_channels: Width of the hidden layer and of the output of each MLP.
        dropout: Probability of dropping an input of the linear layer.
        normalize: Put a LayerNorm before every feature. Not in the report: features of different networks have
            different scales, which small sets of videos do not let the linear layer learn.
        data_preprocessor: Config; :class:`FeaturePreprocessor` if not given.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        ValueError: If there are no features, or two have the same name.
    """

    def __init__(
        self,
        *,
        num_actions: int,
        frame_features: dict[str, int] | None = None,
        person_features: dict[str, int] | None = None,
        video_features: dict[str, int] | None = None,
        mlp_channels: tuple[int, int] = (512, 256),
        dropout: float = 0.0,
        normalize: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.frame_features = tuple(frame_features or ())
        self.person_features = tuple(person_features or ())
        self.video_features = tuple(video_features or ())
        _check_names(self.frame_features + self.person_features + self.video_features)
        self.channels = {**(frame_features or {}), **(person_features or {}), **(video_features or {})}
        channels = self.channels
        pooled = self.frame_features + self.person_features
        self.mlps = nn.ModuleDict({name: _mlp(channels[name], *mlp_channels) for name in pooled})
        self.norms = nn.ModuleDict({name: nn.LayerNorm(size) for name, size in channels.items() if normalize})
        total = len(pooled) * mlp_channels[1] + sum(channels[name] for name in self.video_features)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(total, num_actions)

    def feature_shapes(self, frames: int, persons: int) -> dict[str, tuple[int, ...]]:
        """Of frames (T, D), of persons (T, P, D), of the video (D,)."""
        shapes = {name: (frames, self.channels[name]) for name in self.frame_features}
        of_persons = {name: (frames, persons, self.channels[name]) for name in self.person_features}
        return {**shapes, **of_persons, **{name: (self.channels[name],) for name in self.video_features}}

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits (N, A) of a batch."""
        vectors = []
        for name in self.frame_features + self.person_features:
            features = self.mlps[name](self._normalized(name, inputs))
            if name in self.person_features:
                features = masked_max(features, inputs[PERSON_MASK])
            vectors.append(masked_max(features, inputs[FRAME_MASK]))
        vectors += [self._normalized(name, inputs) for name in self.video_features]
        return self.classifier(self.dropout(torch.cat(vectors, dim=1)))

    def _normalized(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        feature = self.feature(name, inputs)
        return self.norms[name](feature) if name in self.norms else feature


def _mlp(size: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, out), nn.ReLU())


def _check_names(names: tuple[str, ...]) -> None:
    if not names:
        raise ValueError("there are no features to fuse: name some in the config")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"feature {', '.join(repeated)} is named twice in the config")
