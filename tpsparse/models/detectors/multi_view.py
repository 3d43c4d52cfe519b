"""A person detector that looks at a frame several times: at several sizes, and mirrored.

Shapes: V views of a frame, P persons in a frame, A actions, C and D feature channels. Boxes are float ``xyxy``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.ops import batched_nms
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_flip
from mmengine.model import BaseTTAModel
from mmengine.structures import InstanceData

from ...registry import MODELS

FRAME_OUTPUTS = ("context_feature", "context_scores")


@MODELS.register_module()
class MultiViewDetector(BaseTTAModel):
    """:class:`ActionCascadeRCNN` on the views that ``mmcv.TestTimeAug`` makes of each frame, merged to one result.

    The boxes of all views, in pixels of the decoded frame, go through one non-maximum suppression, as in mmdet's
    ``DetTTAModel``; its threshold and the number of persons kept are the detector's own (``test_cfg.rcnn``). A kept
    person has the action feature and scores of the view that its box is from: they were pooled over exactly that box,
    and the fusion is trained on features of one look, not on means. The context feature (C,) and scores (A,) of a
    frame are means over its V views.

    A view is a size (``mmdet.Resize``) and a direction (``mmdet.RandomFlip`` with probability 0 or 1); the meta
    information names both. With the detector's own size as the only view the result is the detector's.

    Args:
        module: The detector or its config.
        data_preprocessor: In place of the detector's own.
    """

    def merge_preds(self, data_samples_list: Sequence[Sequence[DetDataSample]]) -> list[DetDataSample]:
        """One result a frame from those of its views, in the order of the frames."""
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[DetDataSample]) -> DetDataSample:
        merged = views[0]  # the annotation, in pixels of the decoded frame, is that of every view
        merged.pred_instances = self._suppress(InstanceData.cat([_unmirrored(view) for view in views]))
        for name in FRAME_OUTPUTS:
            if name in merged:
                mean = torch.stack([view.get(name) for view in views]).mean(dim=0)
                merged.set_field(mean, name)
        return merged

    def _suppress(self, persons: InstanceData) -> InstanceData:
        """The persons (P,) of all views, each once, the surest first."""
        if len(persons) == 0:  # mmcv takes the greatest coordinate of the boxes
            return persons
        limits = self.module.test_cfg.rcnn
        boxes, kept = batched_nms(persons.bboxes, persons.scores, persons.labels, limits.nms)
        once = persons[kept]
        once.scores = boxes[:, 4]
        return once[: limits.max_per_img]


def _unmirrored(view: DetDataSample) -> InstanceData:
    """The persons of a view, with boxes where the frame itself has them."""
    persons, meta = view.pred_instances, view.metainfo
    if meta.get("flip"):
        persons.bboxes = bbox_flip(persons.bboxes, meta["ori_shape"], meta["flip_direction"])
    return persons
