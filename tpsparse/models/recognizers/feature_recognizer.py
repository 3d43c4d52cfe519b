"""mmaction2's recognizers with the video's feature beside its scores (DAP, Wang et al. 2021, section 2.3).

Shapes: N videos, V views of a video (clips times crops, or segments), C channels of the backbone's output.
"""

from __future__ import annotations

from typing import Any

import torch
from mmaction.models.recognizers import Recognizer2D, Recognizer3D
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class FeatureRecognizer(Recognizer3D):
    """A recognizer of clips, such as TimeSformer, Swin or CSN, whose predictions carry ``feature`` (C,).

    Takes mmaction2's own arguments; parts named without a scope are mmaction2's. ``max_testing_views`` in ``test_cfg``
    bounds the views that are in the backbone at a time, and with them the memory, in batches of any size.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Upstream parts build their own parts by plain names, which resolve in the scope current at that time.
        with DefaultScope.overwrite_default_scope("mmaction"):
            super().__init__(**kwargs)

    def predict(self, inputs: Tensor, data_samples: list[ActionDataSample], **kwargs: Any) -> list[ActionDataSample]:
        """Upstream's predictions, each with ``feature`` (C,), the backbone's output averaged over place and view."""
        if len(inputs) > 1 and (self.test_cfg or {}).get("max_testing_views"):
            # Upstream bounds the views of a single video only.
            each = zip(inputs.split(1), data_samples)
            return [result for video, sample in each for result in self.predict(video, [sample], **kwargs)]
        features, head_kwargs = self.extract_feat(inputs, test_mode=True)
        predictions = self.cls_head.predict(features, data_samples, **head_kwargs)
        return _with_features(predictions, features)


@MODELS.register_module()
class FeatureRecognizer2D(Recognizer2D):
    """The same for recognizers of single frames, such as TSN; a video's segments are its views."""

    def __init__(self, **kwargs: Any) -> None:
        with DefaultScope.overwrite_default_scope("mmaction"):
            super().__init__(**kwargs)

    def predict(self, inputs: Tensor, data_samples: list[ActionDataSample], **kwargs: Any) -> list[ActionDataSample]:
        """Upstream's predictions, each with ``feature`` (C,), the backbone's output averaged over place and segment."""
        features, head_kwargs = self.extract_feat(inputs, test_mode=True)
        predictions = self.cls_head.predict(features, data_samples, **head_kwargs)
        return _with_features(predictions, features)


def pool_views(features: Tensor | tuple[Tensor, ...], num_videos: int) -> Tensor:
    """One vector (N, C) a video from a backbone's output (N * V, C, ...); several outputs are joined."""
    if isinstance(features, tuple):
        return torch.cat([pool_views(each, num_videos) for each in features], dim=1)
    places = features.reshape(*features.shape[:2], -1)
    return places.mean(dim=2).unflatten(0, (num_videos, -1)).mean(dim=1)


def _with_features(
    predictions: list[ActionDataSample], features: Tensor | tuple[Tensor, ...]
) -> list[ActionDataSample]:
    for sample, feature in zip(predictions, pool_views(features, len(predictions))):
        sample.set_field(feature, "feature", dtype=Tensor)
    return predictions
