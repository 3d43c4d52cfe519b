"""The two action branches of the person detector (Disentangled Action Parsing, 2021, section 2.1).

Shapes: B frames in a batch, P persons in a frame, R RoIs in a batch, A actions, C channels of the backbone's
last stage, D channels of the person's action feature, h x w cells of a feature map. Boxes are float ``xyxy``
in pixels of the network's input, not of the decoded frame.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.registry import TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...errors import InputError
from ...registry import MODELS
from ..losses import mean_over_processes

UNKNOWN_ACTION = -1


@MODELS.register_module()
class ActionRCNNHead(BaseModule):
    """AP-RCNN: the action seen in each person's box.

    RoI features pass ``num_convs`` 3x3 convolutions and average pooling, which gives the person's action
    feature ``f_ia``; a linear layer gives the action. It is trained on proposals assigned to a person and on
    the annotated persons, and run on the final detections.

    Args:
        num_actions: A.
        in_channels: Channels of the feature pyramid.
        roi_extractor: Config of an mmdet RoI extractor over the pyramid.
        assigner: Config of the mmdet assigner of proposals to persons.
        sampler: Config of the mmdet sampler; its positives are trained on.
        conv_channels: D.
        num_convs: Number of convolutions.
        norm_cfg: Config of the norm behind each convolution, if any.
        loss_weight: Weight of ``loss_ins``.
    """

    def __init__(
        self,
        *,
        num_actions: int,
        in_channels: int,
        roi_extractor: dict[str, Any],
        assigner: dict[str, Any],
        sampler: dict[str, Any],
        conv_channels: int = 256,
        num_convs: int = 4,
        norm_cfg: dict[str, Any] | None = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(init_cfg={"type": "Normal", "layer": "Linear", "std": 0.01})
        self.num_actions = num_actions
        self.loss_weight = loss_weight
        self.roi_extractor = MODELS.build(roi_extractor)
        self.assigner = TASK_UTILS.build(assigner)
        self.sampler = TASK_UTILS.build(sampler)
        widths = [in_channels] + [conv_channels] * num_convs
        convs = [ConvModule(a, b, 3, padding=1, norm_cfg=norm_cfg) for a, b in zip(widths, widths[1:])]
        self.convs = nn.Sequential(*convs)
        self.classifier = nn.Linear(widths[-1], num_actions)

    def forward(self, pyramid: tuple[Tensor, ...], boxes: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Action features (R, D) and logits (R, A) of each frame's ``boxes`` [(P, 4)], frame after frame."""
        levels = pyramid[: self.roi_extractor.num_inputs]
        cells = self.convs(self.roi_extractor(levels, bbox2roi(boxes)))
        features = cells.mean(dim=(2, 3))
        return features, self.classifier(features)

    def loss(
        self, pyramid: tuple[Tensor, ...], proposals: list[Tensor], data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        """Cross entropy of Eq. 1 (``loss_ins``) and accuracy in percent (``acc_ins``) over the sampled RoIs.

        Args:
            pyramid: Levels (B, channels, h, w), finest first.
            proposals: Each frame's proposals (N, 4).
            data_samples: Persons and the action of each frame.

        Raises:
            InputError: If a frame has no action in its meta information, or one out of range.
        """
        actions = frame_actions(data_samples, self.num_actions)
        boxes = [self._sample(*frame) for frame in zip(proposals, data_samples)]
        _, logits = self(pyramid, boxes)
        counts = torch.tensor([len(frame_boxes) for frame_boxes in boxes])
        labels = torch.tensor(actions).repeat_interleave(counts).to(logits.device)
        loss, share = known_cross_entropy(logits, labels)
        return {"loss_ins": self.loss_weight * loss, "acc_ins": share}

    def predict(self, pyramid: tuple[Tensor, ...], boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Action features [(P, D)] and probabilities [(P, A)] of each frame's persons ``boxes`` [(P, 4)]."""
        counts = [len(frame_boxes) for frame_boxes in boxes]
        features, logits = self(pyramid, boxes)
        return list(features.split(counts)), list(logits.softmax(dim=1).split(counts))

    def _sample(self, proposals: Tensor, sample: DetDataSample) -> Tensor:
        """RoIs (N, 4) that show an annotated person."""
        candidates = InstanceData(priors=proposals)
        assigned = self.assigner.assign(candidates, sample.gt_instances, sample.get("ignored_instances"))
        return self.sampler.sample(assigned, candidates, sample.gt_instances).pos_priors


@MODELS.register_module()
class GlobalContextHead(BaseModule):
    """GCP: the action seen in the whole frame.

    The backbone's last stage is averaged over the frame, which gives the context feature ``f_c``; a linear
    layer gives the action.

    Args:
        num_actions: A.
        in_channels: C.
        loss_weight: Weight of ``loss_img``.
    """

    def __init__(self, *, num_actions: int, in_channels: int, loss_weight: float = 1.0) -> None:
        super().__init__(init_cfg={"type": "Normal", "layer": "Linear", "std": 0.01})
        self.num_actions = num_actions
        self.loss_weight = loss_weight
        self.classifier = nn.Linear(in_channels, num_actions)

    def forward(self, stage: Tensor, data_samples: list[DetDataSample]) -> tuple[Tensor, Tensor]:
        """Context features (B, C) and logits (B, A) of the backbone's last ``stage`` (B, C, h, w)."""
        features = average_over_frames(stage, [sample.metainfo for sample in data_samples])
        return features, self.classifier(features)

    def loss(self, stage: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Cross entropy of Eq. 1 (``loss_img``) and accuracy in percent (``acc_img``) over the frames.

        Raises:
            InputError: If a frame has no action in its meta information, or one out of range.
        """
        _, logits = self(stage, data_samples)
        labels = torch.tensor(frame_actions(data_samples, self.num_actions), device=logits.device)
        loss, share = known_cross_entropy(logits, labels)
        return {"loss_img": self.loss_weight * loss, "acc_img": share}

    def predict(self, stage: Tensor, data_samples: list[DetDataSample]) -> tuple[Tensor, Tensor]:
        """Context features (B, C) and probabilities (B, A)."""
        features, logits = self(stage, data_samples)
        return features, logits.softmax(dim=1)


def average_over_frames(stage: Tensor, metas: list[dict[str, Any]]) -> Tensor:
    """Means (B, C) of the cells of ``stage`` (B, C, h, w) that see the frame.

    A batch pads its frames at the right and the bottom to one size. Averaging over the padding too would make
    a frame's feature depend on its neighbours in the batch.

    Args:
        stage: Feature map of the padded batch.
        metas: Each frame's ``img_shape`` and ``batch_input_shape``, both (height, width) in pixels.
    """
    means = []
    for cells, meta in zip(stage, metas):
        sizes = zip(cells.shape[1:], meta["img_shape"][:2], meta["batch_input_shape"])
        rows, columns = (math.ceil(total * frame / padded) for total, frame, padded in sizes)
        means.append(cells[:, :rows, :columns].mean(dim=(1, 2)))
    return torch.stack(means)


def frame_actions(data_samples: list[DetDataSample], num_actions: int) -> list[int]:
    """The action id of each frame, -1 where unknown: the action of the video that the frame is from.

    Raises:
        InputError: If a frame has no action in its meta information, or one out of range.
    """
    actions = []
    for sample in data_samples:
        action, path = sample.metainfo.get("action"), sample.metainfo.get("img_path", "a frame")
        if action is None:
            raise InputError(f"{path} has no action: add 'action' to the meta_keys of mmdet.PackDetInputs")
        if not UNKNOWN_ACTION <= action < num_actions:
            raise InputError(f"{path} has action {action}, but the model has {num_actions}: set num_actions to match")
        actions.append(int(action))
    return actions


def known_cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross entropy and accuracy in percent of logits (N, A) over the rows whose label (N,) is known.

    In distributed training the mean over the processes of either is that over all their rows, see
    :func:`tpsparse.models.losses.mean_over_processes`. Both are 0 where no label is known. The loss still reaches
    every parameter then, because distributed training waits for a gradient of each.
    """
    known = labels != UNKNOWN_ACTION
    count = mean_over_processes(known.sum())
    if not known.any():
        return 0 * logits.sum(), logits.new_zeros(())
    right = (logits.argmax(dim=1) == labels)[known].sum()
    return F.cross_entropy(logits[known], labels[known], reduction="sum") / count, 100.0 * right / count
