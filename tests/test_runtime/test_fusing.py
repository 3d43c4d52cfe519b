from __future__ import annotations

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from tpsparse.runtime.fusing import fuse_norms, lay_out


def norm(layer, mean, variance, scale, shift):
    layer.running_mean.fill_(mean)
    layer.running_var.fill_(variance)
    if layer.affine:
        nn.init.constant_(layer.weight, scale)
        nn.init.constant_(layer.bias, shift)
    return layer.eval()


def test_by_hand():
    # y = 3 x + 1 and then (y - 2) / sqrt(4) * 5 + 7 is 7.5 x + 4.5.
    pair = nn.Sequential(nn.Conv2d(1, 1, 1), norm(nn.BatchNorm2d(1, eps=0), 2, 4, 5, 7)).eval()
    nn.init.constant_(pair[0].weight, 3)
    nn.init.constant_(pair[0].bias, 1)
    assert fuse_norms(pair) == 1
    assert pair[0].weight.item() == pytest.approx(7.5) and pair[0].bias.item() == pytest.approx(4.5)
    assert isinstance(pair[1], nn.Identity)
    assert fuse_norms(pair) == 0


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_all_dimensions(dimensions, bias, affine):
    torch.manual_seed(0)
    conv = getattr(nn, f"Conv{dimensions}d")(4, 6, 3, groups=2, bias=bias)
    own = norm(getattr(nn, f"BatchNorm{dimensions}d")(6, affine=affine), 0.3, 2.0, 1.7, -0.4)
    pair = nn.Sequential(conv, own, nn.ReLU()).eval()
    inputs = torch.randn(2, 4, *[5] * dimensions)
    expected = pair(inputs)
    assert fuse_norms(pair) == 1
    torch.testing.assert_close(pair(inputs), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("order", "folded"), [(("conv", "norm", "act"), 1), (("act", "conv", "norm"), 1), (("norm", "conv", "act"), 0)]
)
def test_the_order_of_a_conv_module(order, folded):
    module = ConvModule(3, 3, 1, norm_cfg=dict(type="BN"), order=order).eval()
    norm(module.norm, 0.5, 3.0, 2.0, 1.0)
    inputs = torch.randn(2, 3, 4, 4)
    expected = module(inputs)
    assert fuse_norms(module) == folded
    torch.testing.assert_close(module(inputs), expected)


def test_norms_that_stay():
    other = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3), nn.BatchNorm2d(3)).eval()
    wrong = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4))).eval()
    without = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)).eval()
    layer_norm = nn.Sequential(nn.Conv2d(3, 3, 1), nn.GroupNorm(1, 3)).eval()
    for module in (other, wrong, without, layer_norm):
        inputs = torch.randn(2, 3, 4, 4)
        expected = module(inputs)
        assert fuse_norms(module) == 0
        assert torch.equal(module(inputs), expected)


def test_training_is_refused():
    with pytest.raises(ValueError, match="call eval"):
        fuse_norms(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))


def test_layout():
    planes, volumes = nn.Sequential(nn.Conv2d(3, 8, 3)), nn.Sequential(nn.Conv3d(3, 8, 3))
    assert lay_out(planes) and lay_out(volumes)
    assert planes(torch.randn(1, 3, 6, 6)).is_contiguous(memory_format=torch.channels_last)
    assert volumes[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    transformer = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(100, 100))
    assert not lay_out(transformer) and transformer[0].weight.is_contiguous()
    assert not lay_out(nn.ReLU())
