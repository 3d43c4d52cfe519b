"""What classifiers of saved features have in common. Shapes: N videos, A actions, M items, D channels."""

from __future__ import annotations

from abc import abstractmethod

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.nn import functional

from ..losses import mean_over_processes


class FeatureClassifier(BaseModel):
    """A video's action from a batch made by :class:`FeaturePreprocessor`; what is made of the features is a child's.

    Args:
        data_preprocessor: Config; :class:`FeaturePreprocessor` if not given.
        init_cfg: Weights, as in every mmengine module.
    """

    def __init__(self, data_preprocessor: dict | None = None, init_cfg: dict | None = None) -> None:
        super().__init__(data_preprocessor or dict(type="tpsparse.FeaturePreprocessor"), init_cfg)

    @abstractmethod
    def feature_shapes(self, frames: int, persons: int) -> dict[str, tuple[int, ...]]:
        """Name of each feature that a batch must have, to its shape in a video of so many frames and persons."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features that a batch must have."""
        return tuple(self.feature_shapes(1, 1))

    @abstractmethod
    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits (N, A) of a batch."""

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

    @staticmethod
    def feature(name: str, inputs: dict[str, Tensor]) -> Tensor:
        """A feature of a batch.

        Raises:
            ValueError: If the batch has none of that name.
        """
        if name not in inputs:
            raise ValueError(f"the batch has no feature {name}; it has {', '.join(sorted(inputs))}")
        return inputs[name]


def masked_max(features: Tensor, mask: Tensor) -> Tensor:
    """Maximum (..., D) over the last but one axis of features (..., M, D) where mask (..., M); 0 if nowhere."""
    highest = features.masked_fill(~mask[..., None], -torch.inf).amax(dim=-2)
    return highest.masked_fill(~mask.any(dim=-1)[..., None], 0)


def masked_mean(features: Tensor, mask: Tensor) -> Tensor:
    """Mean (..., D) over the last but one axis of features (..., M, D) where mask (..., M); 0 if nowhere."""
    total = features.masked_fill(~mask[..., None], 0).sum(dim=-2)
    return total / mask.sum(dim=-1).clamp(min=1)[..., None]
