"""YOLOF that finds the parts of one person in its crop (PCF, 2022, section II.B).

Shapes: N crops of h x w pixels, K parts, M anchors of a crop. Boxes are float ``xyxy`` in pixels, continuous
coordinates; an absent part is four NaN.
"""

from __future__ import annotations

import torch
from mmdet.models.detectors import YOLOF
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...registry import MODELS
from ..part_parsing.parsing_hrnet import to_image


@MODELS.register_module()
class PartYOLOF(YOLOF):
    """mmdet's YOLOF whose classes are the parts, of each of which the best box is taken.

    Training is mmdet's own, on samples as packed by ``PackPartBoxes``. ``test_cfg`` has ``score_thr`` alone: the
    suppression of overlapping boxes never takes away the best box of a class, so it is left out.

    Args:
        args: Of mmdet's YOLOF.

    Attributes:
        outputs: What is predicted of a person.
    """

    outputs = ("part_boxes", "part_scores")

    def predict(
        self, batch_inputs: Tensor, batch_data_samples: list[DetDataSample], rescale: bool = True
    ) -> list[BaseDataElement]:
        """Find the parts of each person.

        Args:
            batch_inputs: (N, 3, h, w), normalised and padded.
            batch_data_samples: N samples as packed by ``PackPartBoxes``.
            rescale: Give boxes in pixels of the image rather than of the crop.

        Returns:
            For each ``part_boxes`` (K, 4), NaN where no box has a score of ``score_thr``, ``part_scores`` (K,), 0
            there, and the annotation, where the sample had one, as ``gt_part_boxes`` (K, 4).

        Raises:
            ValueError: If a crop is mirrored.
        """
        if any(sample.metainfo.get("flipped", False) for sample in batch_data_samples):
            raise ValueError("a crop to predict on is mirrored: leave FlipPerson out of the test pipeline")
        if not batch_data_samples:
            return []
        shape = batch_data_samples[0].metainfo["img_shape"]
        boxes, scores = self._best_boxes(batch_inputs, shape)
        found = scores >= self.test_cfg.score_thr
        boxes, scores = boxes.masked_fill(~found[..., None], torch.nan), scores * found
        return [_finish(sample, boxes[i], scores[i], to_frame=rescale) for i, sample in enumerate(batch_data_samples)]

    def _best_boxes(self, inputs: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Boxes (N, K, 4) in pixels of crops of ``shape`` (height, width), cut to them, and their scores (N, K)."""
        head = self.bbox_head
        (logits,), (deltas,) = head(self.extract_feat(inputs))
        count, _, height, width = logits.shape
        anchors = head.prior_generator.grid_priors([(height, width)], device=inputs.device)[0]
        scores = _by_anchor(logits, head.cls_out_channels).sigmoid().float()  # (N, M, K)
        best, chosen = scores.max(dim=1)
        deltas = _by_anchor(deltas, 4).gather(1, chosen[..., None].expand(-1, -1, 4)).float()
        boxes = head.bbox_coder.decode(anchors[chosen].flatten(0, 1), deltas.flatten(0, 1), max_shape=shape)
        return boxes.view(count, -1, 4), best


def _by_anchor(output: Tensor, width: int) -> Tensor:
    """The head's (N, anchors x width, height, width) as (N, M, width), in the order of the anchors."""
    return output.permute(0, 2, 3, 1).reshape(len(output), -1, width)


def _finish(sample: DetDataSample, boxes: Tensor, scores: Tensor, *, to_frame: bool) -> BaseDataElement:
    result = BaseDataElement(metainfo=sample.metainfo)
    size = sample.metainfo["img_shape"]
    crop = boxes.new_tensor(sample.metainfo["crop"] if to_frame else (0, 0, size[1], size[0]))
    result.set_data({"part_boxes": to_image(boxes, crop, size), "part_scores": scores})
    if "part_boxes" in sample:
        result.gt_part_boxes = to_image(sample.part_boxes, crop, size)
    return result
