"""A video recognizer that looks at a video several times, as at its mirror image.

Shapes: V views of a video, A actions, C feature channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseTTAModel
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class MultiViewRecognizer(BaseTTAModel):
    """A :class:`FeatureRecognizer` on the views that ``mmcv.TestTimeAug`` makes of each video.

    Scores (A,) and feature (C,) are means over the V views, as mmaction2's heads take them over clips and crops
    (``average_clips="prob"``). Clips and crops need no wrapper: ``SampleFrames`` and ``ThreeCrop`` make them inside
    one input.

    Args:
        module: The recognizer or its config.
        data_preprocessor: In place of the recognizer's own.
    """

    def test_step(self, data: dict[str, Any]) -> list[ActionDataSample]:
        """Scores and features of a batch, whose ``inputs`` and ``data_samples`` are given view by view."""
        # mmengine collates a view's items to a tuple, and mmaction2's preprocessor takes a list alone.
        return super().test_step({key: [list(items) for items in views] for key, views in data.items()})

    def merge_preds(self, data_samples_list: Sequence[Sequence[ActionDataSample]]) -> list[ActionDataSample]:
        """One result a video from those of its views, in the order of the videos."""
        return [_merge(views) for views in data_samples_list]


def _merge(views: Sequence[ActionDataSample]) -> ActionDataSample:
    merged = views[0]
    scores = torch.stack([view.pred_score for view in views]).mean(dim=0)
    merged.set_pred_score(scores).set_pred_label(scores.argmax(dim=0, keepdim=True))
    merged.set_field(torch.stack([view.feature for view in views]).mean(dim=0), "feature", dtype=Tensor)
    return merged
