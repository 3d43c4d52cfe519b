"""Parsing-HRNet: part boxes and part states of one person from one crop (DAP, Wang et al. 2021, section 2.2).

Shapes: N crops of H x W pixels, d channels of the visual features, C of the state feature, K parts, S states, h x w
cells of a heatmap.
Boxes are float ``xyxy`` in pixels, continuous coordinates; an absent part is four NaN and has state -1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...registry import MODELS
from ..losses import masked_mse, mean_over_processes


@dataclass
class CropParse:
    """What the network says of N crops, before it is brought back to the image.

    Args:
        heatmaps: (N, K, h, w) masks of the parts.
        states: The state head's output, of which only that head knows the meaning.
        part_feature: (N, d), the pooled f'_pa of the report.
        state_feature: (N, C), its f_sta.
    """

    heatmaps: Tensor
    states: Tensor
    part_feature: Tensor
    state_feature: Tensor


@MODELS.register_module()
class ParsingHRNet(BaseModel):
    """A backbone of high resolution with a part and a state module; which ones, is the choice of DAP's table 4.

    Args:
        backbone: Config of a network that returns a tuple of feature maps, the finest first.
        part_head: Config of :class:`PartParsingModule`; None where the state head gives the part heatmaps too.
        state_head: Config of :class:`StateParsingModule`, :class:`StateHeatmapModule` or
            :class:`SharedHeatmapModule`, the last without a part head.
        codec: Config of :class:`PartMaskCodec`.
        part_weight: Factor of the part head's mask loss.
        state_weight: Factor of the state head's loss, the report's lambda (eq. 2).
        data_preprocessor: Config; mmengine's ``ImgDataPreprocessor`` fits.
        test_cfg: ``flip_test`` also looks at the mirrored crop and averages.
        init_cfg: Weights, as in every mmengine module.

    Attributes:
        outputs: What is predicted of a person.

    Raises:
        ValueError: If no head gives part heatmaps.
    """

    outputs = ("part_boxes", "part_scores", "state_scores", "part_feature", "state_feature")

    def __init__(
        self,
        *,
        backbone: dict,
        part_head: dict | None,
        state_head: dict,
        codec: dict,
        part_weight: float = 1.0,
        state_weight: float = 0.5,
        data_preprocessor: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor or dict(type="ImgDataPreprocessor"), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.part_head = None if part_head is None else MODELS.build(part_head)
        self.state_head = MODELS.build(state_head)
        if self.part_head is None and not hasattr(self.state_head, "part_heatmaps"):
            raise ValueError(f"part_head is None and {state_head['type']} gives no part heatmaps: name a part_head")
        self.codec = MODELS.build(codec)
        self.part_weight = part_weight
        self.state_weight = state_weight
        self.flip_test = bool((test_cfg or {}).get("flip_test", False))

    @property
    def part_feature_dim(self) -> int:
        """Length d of a person's part feature."""
        return (self.part_head or self.state_head).feature_dim

    @property
    def state_feature_dim(self) -> int:
        """Length C of a person's state feature."""
        return self.state_head.feature_dim

    def forward(
        self, inputs: Tensor, data_samples: list[BaseDataElement] | None = None, mode: str = "tensor"
    ) -> CropParse | dict[str, Tensor] | list[BaseDataElement]:
        """Parse crops (N, 3, H, W), normalised.

        Args:
            inputs: Crops.
            data_samples: N samples as packed by ``PackPart``; needed for ``loss`` and ``predict``.
            mode: ``tensor`` for a :class:`CropParse`, ``loss`` or ``predict``.

        Raises:
            ValueError: If the mode is another, or samples are needed and missing.
        """
        if mode == "tensor":
            return self.parse(inputs)
        if mode not in ("loss", "predict"):
            raise ValueError(f"mode is {mode!r}, expected tensor, loss or predict")
        if data_samples is None:
            raise ValueError(f"mode {mode} needs data_samples")
        return self.loss(inputs, data_samples) if mode == "loss" else self.predict(inputs, data_samples)

    def parse(self, inputs: Tensor) -> CropParse:
        """Run the network on crops (N, 3, H, W)."""
        visual = self.backbone(inputs)[0]
        state_feature, states = self.state_head(visual)
        if self.part_head is None:
            return CropParse(self.state_head.part_heatmaps(states), states, state_feature, state_feature)
        part_features, heatmaps = self.part_head(visual)
        return CropParse(heatmaps, states, part_features.mean(dim=(2, 3)), state_feature)

    def loss(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """Eq. 2 of the report: ``loss_part``, if there is a part head, ``loss_state``, and ``acc_state``.

        The last is no loss but the percentage of labelled states that are named right at the annotated boxes.
        """
        parse = self.parse(inputs)
        boxes = torch.stack([sample.part_boxes for sample in data_samples])
        states = torch.stack([sample.part_states for sample in data_samples])
        masks = self.codec.encode(boxes).to(parse.heatmaps.dtype)
        losses = {}
        if self.part_head is not None:
            mask_loss = masked_mse(parse.heatmaps, masks, boxes.isfinite().all(dim=-1))
            losses["loss_part"] = self.part_weight * mask_loss
        losses["loss_state"] = self.state_weight * self.state_head.loss(parse.states, masks, states)
        right = (self.state_head.scores(parse.states.detach(), masks).argmax(dim=-1) == states).sum()
        return losses | {"acc_state": 100.0 * right / mean_over_processes((states >= 0).sum())}

    def predict(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> list[BaseDataElement]:
        """Copies of the samples with predictions, boxes in pixels of the image.

        Each has ``part_boxes`` (K, 4), ``part_scores`` (K,), ``state_scores`` (K, S) probabilities, ``part_feature``
        (d,), ``state_feature`` (C,), and the annotation, where the sample had one, as ``gt_part_boxes`` (K, 4) and
        ``gt_part_states`` (K,).

        Raises:
            ValueError: If a crop is mirrored.
        """
        if any(sample.metainfo.get("flipped", False) for sample in data_samples):
            raise ValueError("a crop to predict on is mirrored: leave FlipPerson out of the test pipeline")
        if not data_samples:
            return []
        views = [self.parse(inputs)]
        if self.flip_test:
            views.append(self._parse_mirrored(inputs, data_samples[0].metainfo["flip_parts"]))
        boxes, scores = self.codec.decode(_mean([view.heatmaps for view in views]))
        coverage = self.codec.encode(boxes)
        fields = {
            "part_boxes": boxes,
            "part_scores": scores,
            "state_scores": _mean([self.state_head.scores(view.states, coverage) for view in views]),
            "part_feature": views[0].part_feature,
            "state_feature": views[0].state_feature,
        }
        return [
            self._finish(sample, {name: values[i].float() for name, values in fields.items()})
            for i, sample in enumerate(data_samples)
        ]

    def _parse_mirrored(self, inputs: Tensor, flip_parts: object) -> CropParse:
        """What is found in the mirrored crops, turned back, left and right exchanged; features as they are."""
        twins = torch.as_tensor(flip_parts, device=inputs.device)
        parse = self.parse(inputs.flip(-1))
        heatmaps, states = parse.heatmaps.flip(-1)[:, twins], self.state_head.mirror(parse.states, twins)
        return replace(parse, heatmaps=heatmaps, states=states)

    def _finish(self, sample: BaseDataElement, fields: dict[str, Tensor]) -> BaseDataElement:
        crop = fields["part_boxes"].new_tensor(sample.metainfo["crop"])
        size = self.codec.input_size
        result = BaseDataElement(metainfo=sample.metainfo)
        result.set_data(fields | {"part_boxes": to_image(fields["part_boxes"], crop, size)})
        if "part_boxes" in sample:
            result.gt_part_boxes = to_image(sample.part_boxes, crop, size)
        if "part_states" in sample:
            result.gt_part_states = sample.part_states
        return result


def to_image(boxes: Tensor, crop: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes (..., 4) in pixels of a crop of ``size`` (height, width), as pixels of the image.

    Args:
        boxes: In the crop.
        crop: (4,) where the crop lies in the image.
        size: Of the crop as the network sees it.
    """
    scale = (crop[2:] - crop[:2]) / crop.new_tensor([size[1], size[0]])
    return boxes * scale.repeat(2) + crop[:2].repeat(2)


def _mean(views: list[Tensor]) -> Tensor:
    return sum(views[1:], views[0]) / len(views)
