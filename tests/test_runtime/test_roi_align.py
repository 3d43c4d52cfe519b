"""RoIAlign as sums of rows against torchvision's, and by hand."""

from __future__ import annotations

import pytest
import torch
from torchvision.ops import roi_align

from tpsparse.runtime.roi_align import BagRoIAlign, RoIAlign


def regions(count, height, width, seed=0, batch=2):
    """Regions of all sizes, some of them partly or wholly outside of a picture of 4 x the map's cells."""
    draw = torch.Generator().manual_seed(seed)
    middle = torch.rand(count, 2, generator=draw) * torch.tensor([width * 4.4, height * 4.4]) - 5
    size = torch.rand(count, 2, generator=draw) ** 2 * 160
    which = torch.randint(0, batch, (count, 1), generator=draw).float()
    return torch.cat([which, middle - size / 2, middle + size / 2], dim=1)


def layer(size=7, aligned=True, scale=0.25, **changes) -> RoIAlign:
    return RoIAlign(size, spatial_scale=scale, sampling_ratio=0, aligned=aligned, **changes)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("size", [1, 7, (3, 5)])
@pytest.mark.parametrize(("height", "width"), [(24, 40), (1, 9), (5, 1)])
def test_equals_torchvision(height, width, size, aligned):
    features = torch.randn(2, 6, height, width, generator=torch.Generator().manual_seed(1))
    rois = regions(200, height, width)
    expected = roi_align(features, rois, size, 0.25, 0, aligned)
    found = BagRoIAlign(layer(size, aligned))(features, rois)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=2e-4)
    assert expected.abs().max() > 0.5


def test_layout_of_memory_does_not_matter():
    features, rois = torch.randn(2, 6, 24, 40), regions(50, 24, 40)
    pool = BagRoIAlign(layer())
    torch.testing.assert_close(pool(features.contiguous(memory_format=torch.channels_last), rois), pool(features, rois))


def test_a_bin_by_hand():
    # One bin over the cells 0 to 2 of a row 0, 10, 20: two samples in each axis, at 0.5 and 1.5 less the half cell.
    features = torch.tensor([[[[0.0, 10.0, 20.0], [0.0, 10.0, 20.0], [0.0, 10.0, 20.0]]]])
    found = BagRoIAlign(layer(1, aligned=True, scale=1.0))(features, torch.tensor([[0.0, 0.0, 0.0, 2.0, 2.0]]))
    assert found.flatten().tolist() == pytest.approx([(0 + 10) / 2])


def test_nothing_to_look_at():
    features = torch.randn(1, 4, 8, 8)
    assert BagRoIAlign(layer())(features, torch.zeros(0, 5)).shape == (0, 4, 7, 7)
    flat = torch.tensor([[0, 3.0, 3.0, 3.0, 9.0], [0, 9.0, 9.0, 3.0, 3.0]])  # no width; inside out
    assert (
        BagRoIAlign(layer())(features, flat).abs().max() == roi_align(features, flat, 7, 0.25, 0, True).abs().max() == 0
    )


def test_sixteen_bits_are_close():
    features, rois = torch.randn(1, 6, 24, 40), regions(200, 24, 40, batch=1)
    exact, short = BagRoIAlign(layer())(features, rois), BagRoIAlign(layer(), torch.bfloat16)(features, rois)
    assert short.dtype == torch.float32
    # bfloat16 has 8 bits: a value, a weight and the sum are each off by up to 2 ** -9.
    assert 0 < (short - exact).abs().max() < 4 * 2**-9 * features.abs().max()


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (layer(), True),
        (RoIAlign(7, 0.25, sampling_ratio=2), False),
        (layer(pool_mode="max"), False),
        (torch.nn.Identity(), False),
    ],
    ids=["adaptive", "fixed", "maximum", "another"],
)
def test_what_it_can_stand_for(other, fits):
    assert BagRoIAlign.fits(other) == fits
