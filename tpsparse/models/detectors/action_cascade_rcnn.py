"""Cascade R-CNN that also recognises actions (Disentangled Action Parsing, 2021, section 2.1).

Shapes: B frames in a batch, P persons in a frame, A actions, C channels of the backbone's last stage, D
channels of a person's action feature. Boxes are float ``xyxy``.
"""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.detectors import CascadeRCNN
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import scale_boxes
from mmengine.structures import InstanceData
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class ActionCascadeRCNN(CascadeRCNN):
    """mmdet's Cascade R-CNN with up to two action branches, trained together by Eq. 1.

    The backbone and the neck run once for all branches. Without branches it is mmdet's detector.

    Args:
        instance_action: Config of an :class:`ActionRCNNHead` on the feature pyramid (AP-RCNN), or None.
        context_action: Config of a :class:`GlobalContextHead` on the backbone's last stage (GCP), or None.
        detector: Arguments of mmdet's CascadeRCNN.
    """

    def __init__(
        self,
        *,
        instance_action: dict[str, Any] | None = None,
        context_action: dict[str, Any] | None = None,
        **detector: Any,
    ) -> None:
        super().__init__(**detector)
        self.instance_action = MODELS.build(instance_action) if instance_action else None
        self.context_action = MODELS.build(context_action) if context_action else None

    def loss(self, batch_inputs: Tensor, batch_data_samples: list[DetDataSample]) -> dict[str, Any]:
        """The terms of Eq. 1; each box head's two are weighted by its stage of the cascade.

        Args:
            batch_inputs: (B, 3, height, width), normalised and padded.
            batch_data_samples: Persons as ``gt_instances`` (class 0), the action id as ``action`` in the meta
                information, -1 where unknown; only a model with a branch needs the action.

        Returns:
            mmdet's losses and accuracies, and ``loss_ins``, ``acc_ins``, ``loss_img``, ``acc_img`` of the branches.

        Raises:
            InputError: If a branch lacks a frame's action, or the action is out of range.
        """
        stages = self.backbone(batch_inputs)
        pyramid = self.neck(stages)
        losses, proposals = self.rpn_head.loss_and_predict(
            pyramid,
            _as_foreground(batch_data_samples),
            proposal_cfg=self.train_cfg.get("rpn_proposal", self.test_cfg.rpn),
        )
        # Taken first: the cascade renames the field of the proposals that it is given.
        boxes = [frame_proposals.bboxes for frame_proposals in proposals]
        losses.update(self.roi_head.loss(pyramid, proposals, batch_data_samples))
        if self.instance_action is not None:
            losses.update(self.instance_action.loss(pyramid, boxes, batch_data_samples))
        if self.context_action is not None:
            losses.update(self.context_action.loss(stages[-1], batch_data_samples))
        return losses

    def predict(
        self, batch_inputs: Tensor, batch_data_samples: list[DetDataSample], rescale: bool = True
    ) -> list[DetDataSample]:
        """Detect persons and recognise actions.

        Args:
            batch_inputs: (B, 3, height, width), normalised and padded.
            batch_data_samples: Meta information of each frame, ``scale_factor`` (x, y) included.
            rescale: Give boxes in pixels of the decoded frame rather than of the network's input.

        Returns:
            The samples with ``pred_instances``: ``bboxes`` (P, 4), ``scores`` (P,), ``labels`` (P,) and, given the
            branch, ``action_features`` (P, D) and ``action_scores`` (P, A). Given the other branch, the sample
            has ``context_feature`` (C,) and ``context_scores`` (A,).
        """
        stages = self.backbone(batch_inputs)
        pyramid = self.neck(stages)
        proposals = self.rpn_head.predict(pyramid, batch_data_samples, rescale=False)
        persons = self.roi_head.predict(pyramid, proposals, batch_data_samples, rescale=rescale)
        samples = self.add_pred_to_datasample(batch_data_samples, persons)
        if self.instance_action is not None:
            boxes = [_network_boxes(sample, rescale) for sample in samples]
            for sample, features, scores in zip(samples, *self.instance_action.predict(pyramid, boxes)):
                sample.pred_instances.action_features = features
                sample.pred_instances.action_scores = scores
        if self.context_action is not None:
            for sample, feature, scores in zip(samples, *self.context_action.predict(stages[-1], samples)):
                sample.context_feature = feature
                sample.context_scores = scores
        return samples


def _as_foreground(samples: list[DetDataSample]) -> list[DetDataSample]:
    """The samples as the region proposal network sees them: every object is of its one class."""
    foreground = []
    for sample in samples:
        target, objects = sample.new(), sample.gt_instances
        target.gt_instances = InstanceData(bboxes=objects.bboxes, labels=torch.zeros_like(objects.labels))
        foreground.append(target)
    return foreground


def _network_boxes(sample: DetDataSample, rescaled: bool) -> Tensor:
    """A sample's persons (P, 4) in pixels of the network's input."""
    boxes = sample.pred_instances.bboxes
    return scale_boxes(boxes, sample.metainfo["scale_factor"]) if rescaled else boxes
