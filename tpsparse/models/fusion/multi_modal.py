"""Multi-modal fusion: a video's action from features of frames, persons and the video (DAP, section 2.3).

Shapes: N videos, T frames, P persons in a frame, D channels of a feature, A actions.
"""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn
from torch.nn import functional

from ...registry import MODELS
from ..losses import mean_over_processes
from .preprocessor import FRAME_MASK, PERSON_MASK


@MODELS.register_module()
class MultiModalFusion(BaseModel):
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
        super().__init__(data_preprocessor or dict(type="tpsparse.FeaturePreprocessor"), init_cfg)
        self.frame_features = tuple(frame_features or ())
        self.person_features = tuple(person_features or ())
        self.video_features = tuple(video_features or ())
        _check_names(self.feature_names)
        channels = {**(frame_features or {}), **(person_features or {}), **(video_features or {})}
        pooled = self.frame_features + self.person_features
        self.mlps = nn.ModuleDict({name: _mlp(channels[name], *mlp_channels) for name in pooled})
        self.norms = nn.ModuleDict({name: nn.LayerNorm(size) for name, size in channels.items() if normalize})
        total = len(pooled) * mlp_channels[1] + sum(channels[name] for name in self.video_features)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(total, num_actions)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features that a batch must have."""
        return self.frame_features + self.person_features + self.video_features

    def forward(
        self, inputs: dict[str, Tensor], data_samples: list[BaseDataElement] | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor] | list[BaseDataElement]:
        """Judge a batch made by :class:`FeaturePreprocessor`.

        Args:
            inputs: Name to feature, with ``frame_mask`` (N, T) and ``person_mask`` (N, T, P) bool.
            data_samples: N samples; for ``loss`` each has the id of its video's action in ``metainfo["action"]``,
                -1 if unknown.
            mode: ``tensor`` for logits (N, A), ``loss``, or ``predict`` for the samples with ``action_scores``
                (A,), probabilities.

        Raises:
            ValueError: If the mode is another, or samples are needed and missing.
        """
        if mode == "tensor":
            return self.logits(inputs)
        if mode not in ("loss", "predict"):
            raise ValueError(f"mode is {mode!r}, expected tensor, loss or predict")
        if data_samples is None:
            raise ValueError(f"mode {mode} needs data_samples")
        return self.loss(inputs, data_samples) if mode == "loss" else self.predict(inputs, data_samples)

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

    def loss(self, inputs: dict[str, Tensor], data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """Cross entropy ``loss_action``, with ``acc_action`` (percent of labelled videos).

        In distributed training the mean over the processes of either is that over all their labelled videos.
        """
        logits = self.logits(inputs)
        actions = torch.tensor([sample.metainfo["action"] for sample in data_samples], device=logits.device)
        known = mean_over_processes((actions >= 0).sum())
        total = functional.cross_entropy(logits, actions, ignore_index=-1, reduction="sum")
        right = (logits.argmax(dim=1) == actions).sum()
        return {"loss_action": total / known, "acc_action": 100.0 * right / known}

    def predict(self, inputs: dict[str, Tensor], data_samples: list[BaseDataElement]) -> list[BaseDataElement]:
        """The samples with ``action_scores`` (A,), probabilities."""
        for sample, scores in zip(data_samples, self.logits(inputs).softmax(dim=1)):
            sample.action_scores = scores
        return data_samples

    def _normalized(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        if name not in inputs:
            raise ValueError(f"the batch has no feature {name}; it has {', '.join(sorted(inputs))}")
        return self.norms[name](inputs[name]) if name in self.norms else inputs[name]


def masked_max(features: Tensor, mask: Tensor) -> Tensor:
    """Maximum (..., D) over the last but one axis of features (..., M, D) >= 0 where mask (..., M); 0 if nowhere."""
    return features.masked_fill(~mask[..., None], 0).amax(dim=-2)


def _mlp(size: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, out), nn.ReLU())


def _check_names(names: tuple[str, ...]) -> None:
    if not names:
        raise ValueError("there are no features to fuse: name some in the config")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"feature {', '.join(repeated)} is named twice in the config")
