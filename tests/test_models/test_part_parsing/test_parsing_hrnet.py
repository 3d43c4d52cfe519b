"""A narrow Parsing-HRNet: shapes, losses, mirrored crops, the way back to the image, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement
from torch import nn

from tpsparse.models import losses as losses_of
from tpsparse.models.part_parsing import CropParse, ParsingHRNet, PartParsingModule, StateParsingModule
from tpsparse.models.part_parsing.parsing_hrnet import to_image
from tpsparse.registry import MODELS

SIZE, CELLS = (96, 64), (24, 16)  # HRNet halves five times, so sides are multiples of 32
PARTS, STATES, CHANNELS = 3, 4, 8
FLIP_PARTS = np.array([0, 2, 1])
NAN = float("nan")


@MODELS.register_module()
class ShallowBackbone(nn.Module):
    """Two convolutions of stride 2, a tuple of maps as HRNet gives."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, channels, 3, 2, 1), nn.ReLU(), nn.Conv2d(channels, channels, 3, 2, 1), nn.ReLU()
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.layers(images),)


def narrow_hrnet() -> dict:
    """HRNet with one block a stage and 8 channels at the finest."""
    stages = {
        f"stage{i}": dict(
            num_modules=1,
            num_branches=i,
            block="BASIC",
            num_blocks=(1,) * i,
            num_channels=tuple(CHANNELS * 2**branch for branch in range(i)),
        )
        for i in (2, 3, 4)
    }
    stage1 = dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(1,), num_channels=(CHANNELS,))
    return dict(type="mmpose.HRNet", in_channels=3, extra=dict(stage1=stage1, **stages))


# What the rows of DAP's table 4 change.
VARIANTS = {
    "vectors": {},
    "state maps": dict(state_head=dict(type="StateHeatmapModule", in_channels=CHANNELS, num_states=STATES)),
    "shared": dict(
        part_head=None,
        state_head=dict(type="SharedHeatmapModule", in_channels=CHANNELS, num_parts=PARTS, num_states=STATES),
    ),
}
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def make_model(**changes) -> ParsingHRNet:
    torch.manual_seed(0)
    config = dict(
        type="ParsingHRNet",
        backbone=dict(type="ShallowBackbone", channels=CHANNELS),
        part_head=dict(type="PartParsingModule", in_channels=CHANNELS, num_parts=PARTS),
        state_head=dict(
            type="StateParsingModule", in_channels=CHANNELS, num_parts=PARTS, num_states=STATES, state_channels=6
        ),
        codec=dict(type="PartMaskCodec", input_size=SIZE, heatmap_size=CELLS),
        data_preprocessor=dict(type="ImgDataPreprocessor", mean=[127.0] * 3, std=[64.0] * 3),
    )
    return MODELS.build({**config, **changes})


def make_sample(boxes=None, states=None, crop=(0, 0, 64, 96), flipped=False) -> BaseDataElement:
    sample = BaseDataElement(
        metainfo=dict(crop=np.array(crop, np.float32), flip_parts=FLIP_PARTS, flipped=flipped, video="v", frame_index=1)
    )
    if boxes is not None:
        sample.part_boxes = torch.tensor(boxes, dtype=torch.float32)
        sample.part_states = torch.tensor(states)
    return sample


BOXES = [[4.0, 4.0, 20.0, 20.0], [24.0, 8.0, 44.0, 40.0], [8.0, 40.0, 30.0, 60.0]]
STATE_IDS = [0, 3, 1]
NO_BOXES, NO_STATES = [[NAN] * 4] * PARTS, [-1] * PARTS


def test_heads_by_shape():
    visual = torch.rand(2, CHANNELS, *CELLS)
    features, heatmaps = PartParsingModule(in_channels=CHANNELS, num_parts=PARTS)(visual)
    assert features.shape == visual.shape and heatmaps.shape == (2, PARTS, *CELLS)
    head = StateParsingModule(in_channels=CHANNELS, num_parts=PARTS, num_states=STATES)
    state, logits = head(visual)
    assert state.shape == (2, 192) and logits.shape == (2, PARTS, STATES)


def test_state_module_sees_pooled_features_only():
    head = StateParsingModule(in_channels=CHANNELS, num_parts=PARTS, num_states=STATES)
    visual = torch.rand(1, CHANNELS, *CELLS, generator=torch.Generator().manual_seed(0))
    shuffled = visual.flatten(2)[..., torch.randperm(CELLS[0] * CELLS[1])].view_as(visual)
    torch.testing.assert_close(head(visual)[1], head(shuffled)[1])


def test_losses_are_those_of_equation_2():
    model = make_model(part_weight=7.0)
    images = torch.randn(2, 3, *SIZE)
    samples = [make_sample(BOXES, STATE_IDS), make_sample([BOXES[0], [NAN] * 4, BOXES[2]], [2, -1, -1])]
    losses = model(images, samples, mode="loss")
    parse = model(images)
    masks = model.codec.encode(torch.stack([s.part_boxes for s in samples]))
    errors = (parse.heatmaps - masks).square()
    present = [errors[0, 0], errors[0, 1], errors[0, 2], errors[1, 0], errors[1, 2]]
    torch.testing.assert_close(losses["loss_part"], 7 * torch.stack(present).mean())
    p = parse.states.softmax(dim=-1)
    true = torch.stack([p[0, 0, 0], p[0, 1, 3], p[0, 2, 1], p[1, 0, 2]])
    torch.testing.assert_close(losses["loss_state"], 0.5 * (-((1 - true) ** 2) * true.log()).mean())


@each_variant
@pytest.mark.parametrize("labels", ["none", "some"])
def test_every_parameter_has_a_gradient(variant, labels):
    model = make_model(backbone=narrow_hrnet(), **VARIANTS[variant])
    samples = [make_sample(NO_BOXES, NO_STATES), make_sample(NO_BOXES, NO_STATES)]
    if labels == "some":
        samples[0] = make_sample(BOXES, [0, -1, 1])
    losses = model(torch.randn(2, 3, *SIZE), samples, mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []
    assert (total.item() == 0) == (labels == "none")
    for head in filter(None, (model.part_head, model.state_head)):
        assert all(weight.grad.any() for weight in head.parameters()) == (labels == "some")


def test_shared_heatmaps_have_one_loss():
    model = make_model(state_weight=3.0, **VARIANTS["shared"])
    images, samples = torch.randn(1, 3, *SIZE), [make_sample(BOXES, STATE_IDS)]
    losses = model(images, samples, mode="loss")
    assert set(losses) == {"loss_state", "acc_state"}
    targets = torch.zeros(PARTS, STATES, *CELLS)
    for part, state in enumerate(STATE_IDS):
        targets[part, state] = model.codec.encode(samples[0].part_boxes[None])[0, part]
    expected = 3 * (model(images).states[0] - targets).square().mean(dim=(2, 3)).sum(dim=1).mean()
    torch.testing.assert_close(losses["loss_state"], expected)


def test_a_head_for_the_parts_is_needed():
    with pytest.raises(ValueError, match="StateHeatmapModule gives no part heatmaps"):
        make_model(part_head=None, state_head=VARIANTS["state maps"]["state_head"])


def perfect_output(variant: str, masks: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """What a head would say that knew the masks (N, K, h, w) and states (N, K)."""
    hot = torch.eye(STATES)[states] * masks.any(dim=(2, 3))[..., None]
    if variant == "vectors":
        return 20 * hot
    pairs = masks[:, :, None] * hot[..., None, None]
    return pairs if variant == "shared" else pairs.amax(dim=1)


@each_variant
@pytest.mark.parametrize("flip_test", [False, True])
def test_perfect_outputs_give_exact_boxes_and_states(variant, flip_test, monkeypatch):
    model = make_model(test_cfg=dict(flip_test=flip_test), **VARIANTS[variant])
    # Within cells, at the border, two parts in one state; the last part of the second crop is absent.
    boxes = torch.tensor([BOXES, [[0.0, 0.0, 20.0, 30.0], [25.0, 41.0, 43.5, 77.0], [NAN] * 4]])
    states = torch.tensor([STATE_IDS, [2, 2, -1]])
    masks = model.codec.encode(boxes)
    output = perfect_output(variant, masks, states)

    def parse(images: torch.Tensor) -> CropParse:
        heatmaps, found = masks, output
        if images.any():  # the mirrored crops, which are marked by being not black
            heatmaps, found = masks.flip(-1)[:, FLIP_PARTS], model.state_head.mirror(output, torch.tensor(FLIP_PARTS))
        feature = torch.zeros(2, 1)
        if variant == "shared":
            heatmaps = model.state_head.part_heatmaps(found)
        return CropParse(heatmaps, found, feature, feature)

    class Crops(torch.Tensor):
        """Black crops whose mirror images are white."""

        def flip(self, *dims: int) -> torch.Tensor:
            return torch.ones(2, 3, *SIZE)

    monkeypatch.setattr(model, "parse", parse)
    results = model.predict(torch.zeros(2, 3, *SIZE).as_subclass(Crops), [make_sample(), make_sample()])
    for i, result in enumerate(results):
        known = states[i] >= 0
        torch.testing.assert_close(result.part_boxes[known], boxes[i][known], atol=1e-3, rtol=0)
        assert result.state_scores.argmax(dim=1)[known].tolist() == states[i][known].tolist()
        torch.testing.assert_close(result.state_scores.sum(dim=1), torch.ones(PARTS))
    scores = results[0].state_scores.amax(dim=1)
    torch.testing.assert_close(scores, torch.ones(PARTS), atol=1e-6, rtol=0)
    # The absent part has no box with heat, so nothing is known of its state.
    assert results[1].part_scores[2] == 0
    torch.testing.assert_close(results[1].state_scores[2], torch.full((STATES,), 1 / STATES))


@each_variant
def test_accuracy_counts_labelled_parts_at_their_boxes(variant, monkeypatch):
    model = make_model(**VARIANTS[variant])
    masks = model.codec.encode(torch.tensor([BOXES]))
    output = perfect_output(variant, masks, torch.tensor([STATE_IDS]))
    monkeypatch.setattr(model, "parse", lambda images: CropParse(masks, output, output, output))
    losses = model.loss(torch.zeros(1, 3, *SIZE), [make_sample(BOXES, [0, 2, -1])])
    # The first is right, the second is in state 3, the third's is unknown.
    assert losses["acc_state"].item() == 50


def test_accuracy_is_of_the_labels_of_all_processes(monkeypatch):
    model = make_model()
    masks = model.codec.encode(torch.tensor([BOXES]))
    output = perfect_output("vectors", masks, torch.tensor([STATE_IDS]))
    monkeypatch.setattr(model, "parse", lambda images: CropParse(masks, output, output, output))
    monkeypatch.setattr(losses_of, "all_reduce", lambda count, how: count.mul_(2.0))
    losses = model.loss(torch.zeros(1, 3, *SIZE), [make_sample(BOXES, [0, 2, -1])])
    # Two labels here and six in the other process, four on average; one is right here.
    assert losses["acc_state"].item() == 25


@each_variant
def test_predict_gives_boxes_in_the_image(variant):
    model = make_model(**VARIANTS[variant]).eval()
    samples = [make_sample(BOXES, STATE_IDS, crop=(100, 50, 228, 242)), make_sample(crop=(0, 0, 64, 96))]
    images = torch.randn(1, 3, *SIZE).expand(2, -1, -1, -1)
    with torch.no_grad():
        first, second = model(images, samples, mode="predict")
    # Both crops are alike; the first is drawn at half of its size, from (100, 50).
    torch.testing.assert_close(first.part_boxes, second.part_boxes * 2 + torch.tensor([100.0, 50, 100, 50]))
    expected = torch.tensor(BOXES) * 2 + torch.tensor([100.0, 50, 100, 50])
    torch.testing.assert_close(first.gt_part_boxes, expected)
    assert first.gt_part_states.tolist() == STATE_IDS and "gt_part_boxes" not in second
    assert first.part_scores.shape == (PARTS,) and first.state_scores.shape == (PARTS, STATES)
    torch.testing.assert_close(first.state_scores.sum(dim=1), torch.ones(PARTS))
    assert first.part_feature.shape == (model.part_feature_dim,) == (CHANNELS,)
    assert first.state_feature.shape == (model.state_feature_dim,) == ((6,) if variant == "vectors" else (CHANNELS,))
    assert first.video == "v" and samples[0].part_boxes.tolist() == BOXES


def test_to_image_keeps_absent_parts_absent():
    assert to_image(torch.tensor([[NAN] * 4]), torch.tensor([0.0, 0, 96, 128]), SIZE).isnan().all()


@each_variant
def test_flip_test_of_a_mirrored_crop_gives_mirrored_parts(variant):
    model = make_model(test_cfg=dict(flip_test=True), **VARIANTS[variant]).eval()
    images = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        [plain] = model(images, [make_sample()], mode="predict")
        [mirrored] = model(images.flip(-1), [make_sample()], mode="predict")
    boxes = plain.part_boxes[FLIP_PARTS]
    boxes = torch.stack([SIZE[1] - boxes[:, 2], boxes[:, 1], SIZE[1] - boxes[:, 0], boxes[:, 3]], dim=1)
    torch.testing.assert_close(mirrored.part_boxes, boxes, atol=1e-3, rtol=0)
    torch.testing.assert_close(mirrored.state_scores, plain.state_scores[FLIP_PARTS])


def test_flip_test_changes_something():
    images, sample = torch.randn(1, 3, *SIZE), make_sample()
    with torch.no_grad():
        [plain] = make_model().eval()(images, [sample], mode="predict")
        [both] = make_model(test_cfg=dict(flip_test=True)).eval()(images, [sample], mode="predict")
    assert not torch.allclose(plain.state_scores, both.state_scores)


def test_refusals():
    model = make_model()
    images = torch.zeros(1, 3, *SIZE)
    with pytest.raises(ValueError, match="mirrored"):
        model(images, [make_sample(flipped=True)], mode="predict")
    with pytest.raises(ValueError, match="needs data_samples"):
        model(images, mode="loss")
    with pytest.raises(ValueError, match="'guess'"):
        model(images, mode="guess")
    assert model(images[:0], [], mode="predict") == []


@each_variant
def test_learns_two_crops(variant):
    generator = torch.Generator().manual_seed(0)
    weight = 0.5 if variant == "vectors" else 10.0
    model = make_model(backbone=narrow_hrnet(), part_weight=10.0, state_weight=weight, **VARIANTS[variant])
    model.init_weights()
    other = [[2.0, 30.0, 22.0, 62.0], [26.0, 2.0, 46.0, 22.0], [28.0, 36.0, 46.0, 60.0]]
    samples = [make_sample(BOXES, STATE_IDS), make_sample(other, [1, 0, 2])]
    images = torch.randint(0, 256, (2, 3, *SIZE), generator=generator, dtype=torch.uint8)
    batch = model.data_preprocessor(dict(inputs=list(images), data_samples=samples))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        total, _ = model.parse_losses(model(**batch, mode="loss"))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    # Batch statistics of two crops are all there is, so the running ones are set from them.
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(**batch, mode="tensor")
        results = model.eval()(**batch, mode="predict")
    for result, boxes, states in zip(results, (BOXES, other), (STATE_IDS, [1, 0, 2])):
        assert result.state_scores.argmax(dim=1).tolist() == states
        torch.testing.assert_close(result.part_boxes, torch.tensor(boxes), atol=4.0, rtol=0)
