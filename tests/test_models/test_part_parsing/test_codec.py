"""Masks are checked by hand, decoding against the boxes that were drawn."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tpsparse.models.part_parsing import PartMaskCodec

CELL = 4
HEIGHT, WIDTH = 64, 48
NAN = float("nan")


@pytest.fixture
def codec():
    return PartMaskCodec(input_size=(HEIGHT * CELL, WIDTH * CELL), heatmap_size=(HEIGHT, WIDTH))


def draw_boxes(count: int, low: float, high: float, seed: int = 0) -> torch.Tensor:
    """(count, 10, 4) boxes with sides from low to high pixels, wholly inside the crop."""
    generator = torch.Generator().manual_seed(seed)
    sides = low + (high - low) * torch.rand(count, 10, 2, generator=generator)
    room = torch.tensor([WIDTH * CELL, HEIGHT * CELL]) - sides
    corner = torch.rand(count, 10, 2, generator=generator) * room
    return torch.cat([corner, corner + sides], dim=-1)


def iou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(dim=-1) for boxes in (first, second)]
    return shared / (areas[0] + areas[1] - shared)


def blur(masks: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = int(3 * sigma) + 1
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1)
    flat = functional.conv2d(masks.reshape(-1, 1, *masks.shape[2:]), kernel, padding=(reach, 0))
    return functional.conv2d(flat, kernel.transpose(2, 3), padding=(0, reach)).view(masks.shape)


def test_encode_by_hand():
    codec = PartMaskCodec(input_size=(8, 12), heatmap_size=(4, 3))  # a cell is 2 high and 4 wide
    # From 3 to 10 across: a quarter of the first cell, the second, half of the third; from 2 to 5 down.
    masks = codec.encode(torch.tensor([[[3.0, 2.0, 10.0, 5.0], [NAN] * 4]]))
    expected = torch.tensor([[0, 0, 0], [0.25, 1, 0.5], [0.125, 0.5, 0.25], [0, 0, 0]])
    torch.testing.assert_close(masks[0, 0], expected)
    assert masks[0, 1].eq(0).all()


def test_encode_cuts_off_what_is_outside(codec):
    whole = codec.encode(torch.tensor([[[-50.0, -50.0, 1000.0, 1000.0]]]))
    outside = codec.encode(torch.tensor([[[-50.0, -50.0, -10.0, -10.0]]]))
    assert whole.eq(1).all() and outside.eq(0).all()


def test_mass_of_a_mask_is_the_area_of_its_box(codec):
    boxes = draw_boxes(4, 1, 100)
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1)
    torch.testing.assert_close(codec.encode(boxes).sum(dim=(2, 3)) * CELL**2, areas)


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("sides", [(2 * CELL, 5 * CELL), (5 * CELL, 150.0)])
def test_decode_is_the_inverse_of_encode(codec, sides, scale):
    boxes = draw_boxes(20, *sides)
    decoded, _ = codec.decode(codec.encode(boxes) * scale)
    torch.testing.assert_close(decoded, boxes, atol=1e-2, rtol=0)


def test_decode_of_thin_boxes(codec):
    # One side from one to two cells, the other longer: the height of the peak tells the thin side.
    boxes = draw_boxes(20, 2 * CELL, 60)
    thin = CELL * (1 + torch.rand(20, 10, generator=torch.Generator().manual_seed(1)))
    boxes[..., 3] = boxes[..., 1] + thin
    decoded, _ = codec.decode(codec.encode(boxes))
    torch.testing.assert_close(decoded, boxes, atol=1e-2, rtol=0)


def test_decode_of_single_cells(codec):
    on_the_grid = torch.tensor([[[8.0, 12.0, 12.0, 16.0], [0.0, 0.0, 4.0, 4.0]]])
    decoded, scores = codec.decode(codec.encode(on_the_grid))
    torch.testing.assert_close(decoded, on_the_grid)
    torch.testing.assert_close(scores, torch.ones(1, 2))


def test_decode_keeps_the_area_of_boxes_below_two_cells(codec):
    boxes = draw_boxes(50, CELL, 2 * CELL)
    decoded, _ = codec.decode(codec.encode(boxes))
    overlap = iou(decoded, boxes)
    assert overlap.min() > 0.5 and overlap.mean() > 0.85


def test_boxes_at_the_border_of_the_crop(codec):
    boxes = torch.tensor([[[0.0, 0.0, 30.0, 20.0], [160.0, 240.0, 192.0, 256.0], [0.0, 0.0, 192.0, 256.0]]])
    decoded, _ = codec.decode(codec.encode(boxes))
    torch.testing.assert_close(decoded, boxes, atol=1e-2, rtol=0)


@pytest.mark.parametrize(("sigma", "least"), [(0.5, 0.95), (1.0, 0.93), (2.0, 0.8)])
def test_decode_of_blurred_masks(codec, sigma, least):
    boxes = draw_boxes(20, 5 * CELL, 100)
    decoded, _ = codec.decode(blur(codec.encode(boxes), sigma))
    assert iou(decoded, boxes).mean() > least


def test_decode_of_noisy_masks(codec):
    boxes = draw_boxes(20, 5 * CELL, 100)
    noise = 0.1 * torch.randn(20, 10, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2))
    decoded, _ = codec.decode(codec.encode(boxes) + noise)
    overlap = iou(decoded, boxes)
    assert overlap.mean() > 0.9 and overlap.min() > 0.7


def test_decode_takes_the_region_of_the_peak_alone(codec):
    strong, weak = torch.tensor([[[20.0, 30.0, 60.0, 90.0]]]), torch.tensor([[[120.0, 160.0, 160.0, 240.0]]])
    decoded, _ = codec.decode(codec.encode(strong) + 0.7 * codec.encode(weak))
    torch.testing.assert_close(decoded, strong, atol=1e-2, rtol=0)


def test_score_is_the_mean_heat_inside(codec):
    box = torch.tensor([[[20.0, 32.0, 60.0, 92.0]]])
    heatmaps = codec.encode(box)
    _, full = codec.decode(heatmaps)
    _, faint = codec.decode(0.4 * heatmaps)
    assert full.item() == pytest.approx(1) and faint.item() == pytest.approx(0.4, abs=1e-5)
    assert codec.decode(3 * heatmaps)[1].item() == 1


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_decode_of_empty_heatmaps(codec, value):
    boxes, scores = codec.decode(torch.full((2, 3, HEIGHT, WIDTH), value))
    assert boxes.shape == (2, 3, 4) and boxes.isfinite().all() and scores.eq(0).all()


def test_decode_of_a_flat_heatmap_is_the_whole_crop(codec):
    boxes, _ = codec.decode(torch.full((1, 1, HEIGHT, WIDTH), 0.5))
    assert boxes[0, 0].tolist() == [0, 0, WIDTH * CELL, HEIGHT * CELL]


def test_no_crops(codec):
    assert codec.encode(torch.zeros(0, 10, 4)).shape == (0, 10, HEIGHT, WIDTH)
    boxes, scores = codec.decode(torch.zeros(0, 10, HEIGHT, WIDTH))
    assert boxes.shape == (0, 10, 4) and scores.shape == (0, 10)


def test_mirrored_heatmaps_give_mirrored_boxes(codec):
    boxes = draw_boxes(10, 2 * CELL, 100)
    decoded, _ = codec.decode(codec.encode(boxes).flip(-1))
    mirrored = torch.stack(
        [WIDTH * CELL - boxes[..., 2], boxes[..., 1], WIDTH * CELL - boxes[..., 0], boxes[..., 3]], -1
    )
    torch.testing.assert_close(decoded, mirrored, atol=1e-2, rtol=0)


def test_refusals(codec):
    with pytest.raises(ValueError, match=r"\(1, 2, 8, 8\)"):
        codec.decode(torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match="heatmap_size"):
        PartMaskCodec(input_size=(8, 8), heatmap_size=(0, 2))
