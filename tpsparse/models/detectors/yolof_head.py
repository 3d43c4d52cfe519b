"""YOLOF's head for training in several processes."""

from __future__ import annotations

from typing import Any

from mmdet.models.dense_heads import YOLOFHead
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class TiedYOLOFHead(YOLOFHead):
    """mmdet's head, whose box branch has a gradient in a batch without objects too.

    mmdet 3.3.0 leaves that branch out of the loss then. Processes that wait for each other's gradients would wait for
    it in vain, and the run would end with an error at the first such batch.
    """

    def loss_by_feat(self, cls_scores: list[Tensor], bbox_preds: list[Tensor], *args: Any, **kwargs: Any) -> dict:
        """As mmdet's, in value too."""
        losses = super().loss_by_feat(cls_scores, bbox_preds, *args, **kwargs)
        losses["loss_bbox"] = losses["loss_bbox"] + 0 * bbox_preds[0].sum()
        return losses
