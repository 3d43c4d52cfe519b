"""Part relevance and part states of all persons of a frame (SCU, Zhang et al. 2022, section 2.2).

Each part's feature and that of the object which its person deals with give the part's *relevance* to the action. Both
features, multiplied by it as PaStaNet does (Li et al. 2020, section 4.2), give the probabilities of the part's states,
a sigmoid each: a head can eat and watch.

Shapes: B frames of H x W pixels, P persons in a frame, N persons of all frames, K parts, S states, O objects, C object
names, D channels.
Boxes are float ``xyxy`` in pixels of the network's input, continuous coordinates; an absent part is four NaN, has state
and relevance -1, and gets zeros.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ...registry import MODELS
from ..losses import mean_over_processes
from .layers import PartwiseLinear, RoIEmbedding
from .losses import binary_relevance_loss, multi_label_state_loss
from .objects import NOBODY, choose_objects, object_scores_of

EXTRACTOR = {
    "type": "mmdet.SingleRoIExtractor",
    "roi_layer": {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 0},
    "featmap_strides": [16],
}


@dataclass
class FrameStates:
    """What the network says of the N persons of its frames.

    Args:
        present: (N, K) bool, which parts have a box.
        relevance: (N, K) logits; None where the network predicts none.
        visual: (N, K, D) f^V of the report, zeros for absent parts.
        states: (N, K, S) logits.
        objects: (N, C + 1), see :func:`object_scores_of`.
    """

    present: Tensor
    relevance: Tensor | None
    visual: Tensor
    states: Tensor
    objects: Tensor


@MODELS.register_module()
class PartStateNet(BaseModel):
    """A backbone, RoIAlign, an embedding that parts and objects share, a relevance predictor and a state head.

    Relevance predictor and state head have weights of their own for each part.

    Args:
        backbone: Config of a network that returns a tuple of one map.
        embedding: Of :class:`RoIEmbedding`: ``in_channels`` of the map, ``out_channels`` D, and so on; with
            ``roi_extractor`` in it to change :data:`EXTRACTOR`.
        labels: ``num_parts`` K, ``num_states`` S and ``num_objects`` C, which may be 0.
        relevance: ``channels`` of its hidden layer and ``loss_weight``; None for a network without: then no feature is
            multiplied.
        state: ``loss_weight``, and ``positive_weight`` of :func:`multi_label_state_loss`.
        objects: ``reach`` of :func:`choose_objects`.
        data_preprocessor: Config; mmengine's ``ImgDataPreprocessor`` fits.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        ValueError: If ``objects`` names anything else.
    """

    def __init__(
        self,
        *,
        backbone: dict[str, Any],
        embedding: dict[str, Any],
        labels: dict[str, int],
        relevance: dict[str, Any] | None,
        state: dict[str, Any] | None = None,
        objects: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor or dict(type="ImgDataPreprocessor"), init_cfg)
        own = dict(embedding)
        extractor = {**EXTRACTOR, **own.pop("roi_extractor", {}), "out_channels": own["in_channels"]}
        self.backbone = MODELS.build(backbone)
        self.roi_extractor = MODELS.build(extractor)
        self.embedding = RoIEmbedding(roi_size=extractor["roi_layer"]["output_size"], **own)
        self.num_parts, self.num_objects = labels["num_parts"], labels["num_objects"]
        self.channels = self.embedding.out_channels
        self.no_object = nn.Parameter(torch.zeros(self.channels))
        self.relevance_weight = 0.0
        self.relevance_head: nn.Module | None = None
        if relevance is not None:
            self.relevance_weight = relevance.get("loss_weight", 1.0)
            self.relevance_head = nn.Sequential(
                PartwiseLinear(self.num_parts, 2 * self.channels, relevance["channels"]),
                nn.ReLU(),
                PartwiseLinear(self.num_parts, relevance["channels"], 1),
            )
        self.visual_head = nn.Sequential(PartwiseLinear(self.num_parts, 2 * self.channels, self.channels), nn.ReLU())
        self.state_head = PartwiseLinear(self.num_parts, self.channels, labels["num_states"])
        # Of S states one is annotated: the outputs begin at that probability.
        nn.init.constant_(self.state_head.bias, -math.log(max(labels["num_states"] - 1, 1)))
        given = {"loss_weight": 1.0, "positive_weight": 1.0, **(state or {})}
        self.state_weight, self.positive_weight = given["loss_weight"], given["positive_weight"]
        self.object_choice = {"reach": 1.2, **(objects or {})}
        if len(self.object_choice) > 1:
            raise ValueError(f"objects is {objects}, expected reach alone")

    @property
    def predicts_relevance(self) -> bool:
        """Whether there is a relevance predictor."""
        return self.relevance_head is not None

    def forward(
        self, inputs: Tensor, data_samples: list[BaseDataElement] | None = None, mode: str = "tensor"
    ) -> FrameStates | dict[str, Tensor] | list[BaseDataElement]:
        """Parse the parts of frames (B, 3, H, W), normalised.

        Args:
            inputs: Frames.
            data_samples: B samples as packed by ``PackFrameParts``.
            mode: ``tensor`` for a :class:`FrameStates`, ``loss`` or ``predict``.

        Raises:
            ValueError: If the mode is another, or the samples are missing: the network is told where parts are.
        """
        if mode not in ("tensor", "loss", "predict"):
            raise ValueError(f"mode is {mode!r}, expected tensor, loss or predict")
        if data_samples is None:
            raise ValueError(f"mode {mode} needs data_samples, which say where the parts are")
        if mode == "tensor":
            return self.parse(inputs, data_samples)
        return self.loss(inputs, data_samples) if mode == "loss" else self.predict(inputs, data_samples)

    def parse(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> FrameStates:
        """Run the network on frames (B, 3, H, W)."""
        part_boxes = torch.cat([sample.part_boxes for sample in data_samples])
        present = part_boxes.isfinite().all(dim=-1)
        frame = torch.cat([torch.full((len(s.boxes),), i) for i, s in enumerate(data_samples)]).to(part_boxes.device)
        chosen = [self._choose(sample) for sample in data_samples]
        features = self.backbone(inputs)[0]
        part_rois = torch.cat([frame[:, None, None].expand(*present.shape, 1), part_boxes], dim=2)[present]
        rois = torch.cat([part_rois, *(_object_rois(i, each) for i, each in enumerate(chosen))])
        embedded = self._embed(features, rois)
        parts = embedded.new_zeros(*present.shape, self.channels)
        parts = parts.index_put((present,), embedded[: len(part_rois)])
        pairs = torch.cat([parts, self._of_persons(chosen, embedded[len(part_rois) :], parts)], dim=2)
        relevance = None
        if self.relevance_head is not None:
            relevance = self.relevance_head(pairs)[..., 0]
            pairs = pairs * relevance.sigmoid()[..., None].to(pairs.dtype)
        visual = self.visual_head(pairs) * present[..., None]
        objects = torch.cat([each.scores for each in chosen])
        return FrameStates(present, relevance, visual, self.state_head(visual), objects)

    def loss(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """``loss_state``, ``loss_relevance`` if there is a predictor, and ``acc_state``.

        The last is no loss but the percentage of labelled states that have the highest score of their part.
        """
        parse = self.parse(inputs, data_samples)
        states = torch.cat([sample.part_states for sample in data_samples]).masked_fill(~parse.present, -1)
        losses = {"loss_state": self.state_weight * multi_label_state_loss(parse.states, states, self.positive_weight)}
        if parse.relevance is not None:
            labels = torch.cat([sample.relevance for sample in data_samples]).masked_fill(~parse.present, -1)
            losses["loss_relevance"] = self.relevance_weight * binary_relevance_loss(parse.relevance, labels)
        right = ((parse.states.detach().argmax(dim=-1) == states) & (states >= 0)).sum()
        return losses | {"acc_state": 100.0 * right / mean_over_processes((states >= 0).sum())}

    def predict(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> list[BaseDataElement]:
        """A sample for each frame, in float32.

        Each has ``state_scores`` (P, K, S) probabilities, ``relevance`` (P, K), 1 for each part with a box if there is
        no predictor, ``part_visual`` (P, K * D) and ``person_objects`` (P, C + 1); of the annotation, where the sample
        had one, ``gt_part_states`` (P, K), -1 where the part has no box, and ``gt_relevance`` (P, K) if there is a
        predictor.
        """
        parse = self.parse(inputs, data_samples)
        present = parse.present.float()
        relevance = present if parse.relevance is None else parse.relevance.float().sigmoid() * present
        fields = {
            "state_scores": parse.states.float().sigmoid() * present[..., None],
            "relevance": relevance,
            "part_visual": parse.visual.float().flatten(1),
            "person_objects": parse.objects,
        }
        counts = [len(sample.boxes) for sample in data_samples]
        rows = {name: values.split(counts) for name, values in fields.items()}
        presents = parse.present.split(counts)
        return [
            self._finish(sample, {name: rows[name][i] for name in rows}, presents[i])
            for i, sample in enumerate(data_samples)
        ]

    def _finish(self, sample: BaseDataElement, fields: dict[str, Tensor], present: Tensor) -> BaseDataElement:
        result = BaseDataElement(metainfo=sample.metainfo)
        result.set_data(fields)
        if "part_states" in sample:
            result.gt_part_states = sample.part_states.masked_fill(~present, -1)
        if "relevance" in sample and self.predicts_relevance:
            result.gt_relevance = sample.relevance.masked_fill(~present, -1)
        return result

    def _choose(self, sample: BaseDataElement) -> _Chosen:
        """The object of each person of a frame; one whose name the network does not know is passed over."""
        labels, scores = sample.object_labels, sample.object_scores
        kept = (labels >= 0) & (labels < self.num_objects)
        boxes, labels, scores = sample.object_boxes[kept], labels[kept], scores[kept]
        rows = choose_objects(sample.boxes, boxes, scores, **self.object_choice)
        used, inverse = rows[rows >= 0].unique(return_inverse=True)
        place = torch.full_like(rows, NOBODY).masked_scatter(rows >= 0, inverse)
        return _Chosen(boxes[used], place, object_scores_of(rows, scores, labels, self.num_objects))

    def _embed(self, features: Tensor, rois: Tensor) -> Tensor:
        """(R, D) of regions (R, 5), in the dtype that the layers compute in."""
        # Places of boxes would be rounded to whole pixels in a map's half precision.
        regions = self.roi_extractor((features.float(),), rois.float()).to(features.dtype)
        # Without a region the extractor does not touch the map, whose weights need a gradient all the same.
        return self.embedding(regions + features.flatten()[:0].sum())

    def _of_persons(self, chosen: list[_Chosen], embedded: Tensor, parts: Tensor) -> Tensor:
        """(N, K, D) feature of each person's object, for each of its parts."""
        offsets = [0]
        for each in chosen:
            offsets.append(offsets[-1] + len(each.boxes))
        rows = torch.cat([torch.where(c.place >= 0, c.place + at, NOBODY) for c, at in zip(chosen, offsets)])
        # The last row stands for no object: -1 names it.
        table = torch.cat([embedded, self.no_object.to(embedded.dtype)[None]])
        return table[rows][:, None].expand_as(parts)


@dataclass
class _Chosen:
    """The objects (M, 4) of one frame that its persons deal with, each person's row (P,) or -1, and (P, C + 1)."""

    boxes: Tensor
    place: Tensor
    scores: Tensor


def _object_rois(frame: int, chosen: _Chosen) -> Tensor:
    return torch.cat([chosen.boxes.new_full((len(chosen.boxes), 1), frame), chosen.boxes], dim=1)
