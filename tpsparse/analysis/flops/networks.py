"""Parameters of a network, and the arithmetic of one test input, counted from its config without data or weights.

Counted are multiply-adds of convolutions, linear layers and matrix products, those of attention included, by PyTorch's
``FlopCounterMode``. They are what papers and model zoos call FLOPs; each is two operations. Not counted, as is the
custom: norms, activations, pooling, interpolation, RoIAlign, non-maximum suppression, and the adding of biases.
mmengine's ``get_model_complexity_info`` was not taken: it counts some of these, and it traces a whole detector, whose
number of boxes depends on the picture.

The network runs on PyTorch's meta device: shapes without values, in no time and memory. A detector's heads are counted
for as many proposals and persons as its ``test_cfg`` keeps at most, which is what a crowded picture costs.

A parser of action instances is counted on the features of one of average length (:data:`.INSTANCE_FRAMES`), which are
another network's: a ``FrameEncoder``'s is counted by the frame. One without parameters counts nothing.

Shapes: V views of an input (crops, clips, sizes, mirror images), T frames of a clip or of an instance, P persons, H x W
pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmdet.models.detectors import TwoStageDetector
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ...datasets.instances import is_instance_root
from ...datasets.tasks.instances import InstanceDataset
from ...engine import config_taxonomy, load_config
from ...engine.config import names_at
from ...errors import InputError
from ...models.fusion import FeatureClassifier
from ...models.part_parsing import ParsingHRNet
from ...models.part_states import PartStateNet
from ...models.temporal_parsing import TemporalParser
from ...registry import DATASETS, SCOPE
from ...taxonomy import LEFT, RIGHT, Taxonomy
from .encoder import EncoderNetwork, build_network
from .inputs import Shape, asked_shape, looks_of, pipeline_shapes, text, unit_of

HRNET_STRIDE = 32
"""Pixels of a crop in a cell of HRNet's coarsest map; its maps are added to each other."""
PERSONS = 3
"""Persons a frame: Kinetics-TPS has 1.6 million in 574,851 frames."""
TAPOS_ACTIONS = 21


@dataclass(frozen=True)
class Complexity:
    """What one network costs.

    Args:
        config: Name of its config.
        unit: What one test input is: ``frame``, ``person``, ``video`` or ``instance``.
        parameters: How many there are, trained or not.
        views: (shape of the network's input without the batch, multiply-adds of one view, how many such views).
    """

    config: str
    unit: str
    parameters: int
    views: tuple[tuple[Shape, int, int], ...]

    @property
    def multiply_adds(self) -> int:
        """Of one test input: all its views."""
        return sum(each * count for _, each, count in self.views)

    @property
    def num_views(self) -> int:
        """V."""
        return sum(count for *_, count in self.views)

    def to_json(self) -> dict[str, Any]:
        """As files hold it."""
        views = [dict(input=list(shape), multiply_adds=each, views=count) for shape, each, count in self.views]
        whole = dict(multiply_adds=self.multiply_adds, flops=2 * self.multiply_adds, views=views)
        return dict(config=self.config, unit=self.unit, parameters=self.parameters, **whole)


def official_sizes(config: str | Path | None = None) -> Taxonomy:
    """As many names as Kinetics-TPS has, for configs whose data set is not here; as TAPOS has, for one of its configs.

    Raises:
        InputError: If the config cannot be read.
    """
    sides = [f"{side}{part}" for part in ("arm", "hand", "leg", "foot") for side in (LEFT, RIGHT)]
    names = Taxonomy(
        parts=("head", "hip", *sides),
        states=tuple(f"state {i}" for i in range(74)),
        actions=tuple(f"action {i}" for i in range(24)),
        objects=tuple(f"object {i}" for i in range(75)),
    )
    if config is None:
        return names
    cfg = load_config(config, taxonomy=names, label_table=some_labels(names))
    if not _is_of_instances(cfg):
        return names
    return Taxonomy(parts=(), states=(), actions=tuple(f"action {i}" for i in range(TAPOS_ACTIONS)))


def network_complexity(
    config: str | Path, taxonomy: Taxonomy, *, options: dict[str, Any] | None = None, shape: Sequence[int] | None = None
) -> Complexity:
    """Count one network.

    Args:
        config: A training config, or a child with other choices for the test.
        taxonomy: Its numbers of names.
        options: Overrides of the config.
        shape: Input to count one view of, in place of those of the config's test pipeline: (H, W) of a frame or of a
            person's crop, (T, H, W) of a clip, (T, P) of the fusion, (T,) of an instance.

    Raises:
        InputError: If the config is of no network, or the network does not take such an input.
    """
    init_default_scope(SCOPE)
    cfg = load_config(config, options=options, taxonomy=taxonomy, label_table=some_labels(taxonomy))
    if "model" not in cfg or "stages" in cfg.model:
        raise InputError(f"config {config} is of no network: give a training config, or a system alone")
    model = build_network(cfg).eval()
    parameters = sum(weight.numel() for weight in model.parameters())
    if shape is None:
        shapes, looks = pipeline_shapes(model, cfg), looks_of(model)
        counts = [(each, _count(model, cfg, each), views * looks) for each, views in shapes.items()]
        return Complexity(Path(config).stem, unit_of(model), parameters, tuple(counts))
    asked = asked_shape(model, shape, cfg=cfg, config=config)
    try:
        return Complexity(Path(config).stem, unit_of(model), parameters, ((asked, _count(model, cfg, asked), 1),))
    except (RuntimeError, ValueError, AssertionError) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        if isinstance(model, ParsingHRNet):  # its own error is of a sum of two maps, somewhere inside
            told = f"HRNet needs sides that are multiples of {HRNET_STRIDE}"
        raise InputError(f"config {config} takes no input {text(asked)} ({told}): correct --shape") from error


def some_labels(taxonomy: Taxonomy) -> dict[str, Any]:
    """A made table for a recognizer of part states, of one label an action: a real one has that many at least."""
    labels = [[action, state] for action in taxonomy.actions for state in taxonomy.states[:1]]
    return dict(group="", seconds=None, labels=labels)


def sizes_of(config: str | Path, data_root: str | None = None) -> tuple[Taxonomy, bool]:
    """The names to count a config for, and whether they are of a data set.

    They are those at ``data_root`` or, where none is given, of the config's own data set; where that is not here,
    :func:`official_sizes`.

    Raises:
        InputError: If the config or the lists cannot be read.
    """
    if data_root is not None:
        return names_at(data_root), True
    names = official_sizes(config)
    cfg = load_config(config, taxonomy=names, label_table=some_labels(names))
    root = Path(cfg.get("data_root", ""))
    if (root / "list").is_dir() or is_instance_root(root):
        return names_at(root), True
    return config_taxonomy(cfg), False


def _is_of_instances(cfg: Config) -> bool:
    """Whether a config's data set is one of TAPOS's layout."""
    kind = DATASETS.get(cfg.get("test_dataloader", {}).get("dataset", {}).get("type", ""))
    return isinstance(kind, type) and issubclass(kind, InstanceDataset)


def _count(model: BaseModel, cfg: Config, shape: Shape) -> int:
    """Multiply-adds of one view, by running it on the meta device."""
    if isinstance(model, TemporalParser):
        return _count_parsing(model, shape)
    model.to("meta")
    with torch.inference_mode(), _plain_attention(), FlopCounterMode(display=False) as counter:
        if isinstance(model, FeatureClassifier):
            model(_features(model, *shape), mode="tensor")
        elif isinstance(model, PartStateNet):
            _parse_states(model, _meta(1, *shape))
        elif isinstance(model, BaseRecognizer):
            features, rest = model.extract_feat(_meta(1, 1, *shape), test_mode=True)
            model.cls_head(features, **rest)
        elif isinstance(model, TwoStageDetector):
            _detect(model, _meta(1, *shape))
        elif isinstance(model, EncoderNetwork):
            model(_meta(1, *shape))
        else:
            model(_meta(1, *shape), data_samples=None, mode="tensor")
    return counter.get_total_flops() // 2


def _count_parsing(model: TemporalParser, shape: Shape) -> int:
    """Multiply-adds of an instance, on the CPU: where a boundary is depends on values, which a meta tensor has not."""
    if next(model.parameters(), None) is None:
        return 0
    # The counter stumbles on a parameter that is a layer's input and wants a gradient, as patterns are.
    model.requires_grad_(False)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model.parse(torch.zeros(shape))
    return counter.get_total_flops() // 2


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention as the matrix products that the counter knows, not as one fused operation."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def _features(model: FeatureClassifier, frames: int, persons: int) -> dict[str, Tensor]:
    """A batch of one video, every frame and person of which is there."""
    inputs = {name: _meta(1, *shape) for name, shape in model.feature_shapes(frames, persons).items()}
    masks = dict(frame_mask=_meta(1, frames), person_mask=_meta(1, frames, persons))
    return inputs | {name: mask.bool() for name, mask in masks.items()}


def _detect(model: TwoStageDetector, frame: Tensor) -> None:
    """Run a detector's parts, its heads on as many boxes as the test keeps at most."""
    stages = model.backbone(frame)
    pyramid = model.neck(stages) if model.with_neck else stages
    model.rpn_head(pyramid)
    heads = model.roi_head.bbox_head
    extractors = model.roi_head.bbox_roi_extractor
    pairs = zip(heads, extractors) if isinstance(heads, nn.ModuleList) else [(heads, extractors)]
    for head, extractor in pairs:
        head(_cells(extractor, model.test_cfg.rpn.max_per_img))
    if getattr(model, "instance_action", None) is not None:
        action = model.instance_action
        cells = action.convs(_cells(action.roi_extractor, model.test_cfg.rcnn.max_per_img))
        action.classifier(cells.mean(dim=(2, 3)))
    if getattr(model, "context_action", None) is not None:
        model.context_action.classifier(stages[-1].mean(dim=(2, 3)))


def _parse_states(model: PartStateNet, frame: Tensor) -> None:
    """Run a network of part states on a frame of :data:`PERSONS`, each with all parts and an object."""
    model.backbone(frame)
    parts = PERSONS * model.num_parts
    model.embedding(_cells(model.roi_extractor, parts + PERSONS))
    pairs = _meta(PERSONS, model.num_parts, 2 * model.channels)
    if model.relevance_head is not None:
        model.relevance_head(pairs)
    model.state_head(model.visual_head(pairs))


def _cells(extractor: Any, boxes: int) -> Tensor:
    """What RoIAlign gives of so many boxes."""
    return _meta(boxes, extractor.out_channels, *extractor.roi_layers[0].output_size)
