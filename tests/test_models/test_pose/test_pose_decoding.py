"""Heatmaps of many persons decoded at once, against mmpose's codec on one after the other. J keypoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from tpsparse.models.pose import decode_heatmaps, to_frames

CODEC = KEYPOINT_CODECS.build(dict(type="mmpose.MSRAHeatmap", input_size=(96, 128), heatmap_size=(24, 32), sigma=4 / 3))
CELL = torch.from_numpy(CODEC.scale_factor)


def by_mmpose(heatmaps: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Places in pixels of the crop (N, J, 2) and scores (N, J)."""
    found = [CODEC.decode(person) for person in heatmaps.numpy()]
    return np.concatenate([points for points, _ in found]), np.concatenate([scores for _, scores in found])


def check(heatmaps: torch.Tensor) -> None:
    points, scores = by_mmpose(heatmaps)
    places, values = decode_heatmaps(heatmaps)
    assert places.dtype == values.dtype == torch.float32
    np.testing.assert_array_equal((places * CELL).numpy(), points)
    np.testing.assert_array_equal(values.numpy(), scores)


def made(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_any_heatmaps():
    check(made(20, 17, 32, 24) - 0.2)
    check(made(1, 1, 32, 24, seed=1))


def test_a_peak_in_every_cell():
    """Edges and corners have rules of their own, which differ from side to side."""
    heatmaps = made(32 * 24, 1, 32, 24) * 0.5
    heatmaps.flatten(2)[torch.arange(32 * 24), 0, torch.arange(32 * 24)] = 1.0
    check(heatmaps)


def test_of_equal_peaks_the_first():
    heatmaps = torch.zeros(3, 2, 32, 24)
    heatmaps[0, 0, [5, 9], [7, 3]] = 0.5
    heatmaps[0, 1, 5, [4, 9]] = 0.5
    heatmaps[1] = 0.25
    check(heatmaps)
    assert decode_heatmaps(heatmaps)[0][0].tolist() == [[7, 5], [4, 5]]


@pytest.mark.parametrize("value", [0.0, -1.0], ids=["nothing", "below nothing"])
def test_no_peak(value):
    heatmaps = torch.full((2, 3, 32, 24), value)
    check(heatmaps)
    places, scores = decode_heatmaps(heatmaps)
    assert (places == -1).all() and (scores == value).all()


def test_not_a_number():
    """mmpose's numbers, for what they are worth: NaN is the peak, and a place beside NaN is NaN."""
    heatmaps = made(4, 3, 32, 24)
    heatmaps[0, 0, 10, 10] = torch.nan
    heatmaps[1, :, 5, [5, 9, 7]] = torch.nan
    heatmaps[1, 1, 5, 6] = heatmaps[1, 2, 6, 5] = torch.nan
    heatmaps[2] = torch.nan
    heatmaps[3, 0, 20, 10], heatmaps[3, 0, 20, 11] = 2.0, 1.0
    heatmaps[3, 1, 20, 10], heatmaps[3, 1, 20, 11] = torch.inf, 1.0
    check(heatmaps)
    assert decode_heatmaps(heatmaps)[0][1].isnan().tolist() == [[False, False], [True, False], [False, True]]


def test_half_precision_is_read_in_single():
    heatmaps = made(2, 3, 32, 24).bfloat16()
    places, scores = decode_heatmaps(heatmaps)
    wanted = decode_heatmaps(heatmaps.float())
    assert torch.equal(places, wanted[0]) and torch.equal(scores, wanted[1])


def test_a_cell_becomes_a_place_in_the_frame():
    """A crop of 96 x 128 pixels shows 48 x 64 of the frame about (100, 50): a cell of 4 pixels is 2 of the frame."""
    geometry = dict(
        scale=CELL,
        size=torch.tensor([96, 128]),
        centres=torch.tensor([[100.0, 50.0]]),
        shown=torch.tensor([[48.0, 64.0]]),
    )
    places = torch.tensor([[[0.0, 0.0], [12.0, 16.0], [24.0, 32.0]]])
    assert to_frames(places, **geometry).tolist() == [[[76, 18], [100, 50], [124, 82]]]


def test_places_in_large_frames_are_mmposes_to_the_last_bit():
    """What ``TopdownPoseEstimator.add_pred_to_datasample`` computes, in NumPy's mixture of precisions."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 32, (200, 17, 2)).astype(np.float32)
    centres, shown = (rng.uniform(0, 4000, (200, 2)).astype(np.float32) for _ in range(2))
    wanted = places * CODEC.scale_factor
    wanted[:] = wanted / (96, 128) * shown[:, None] + centres[:, None] - 0.5 * shown[:, None]
    tensors = [torch.from_numpy(each) for each in (places, np.array([96, 128]), centres, shown)]
    found = to_frames(tensors[0], scale=CELL, size=tensors[1], centres=tensors[2], shown=tensors[3])
    np.testing.assert_array_equal(found.numpy(), wanted)
