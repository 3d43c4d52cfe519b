"""VGG: the names and shapes of published weights, stride 16, frozen stages, loading."""

import pytest
import torch
from mmcv.cnn.vgg import VGG as PublishedVGG
from mmengine.registry import init_default_scope
from torch import nn

from tpsparse.models.backbones import VGG
from tpsparse.registry import MODELS


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(array.shape) for name, array in network.state_dict().items()}


@pytest.mark.parametrize("depth", [11, 16])
@pytest.mark.parametrize("norm_cfg", [None, {"type": "BN"}])
def test_full_size_has_the_published_names_and_shapes(depth, norm_cfg):
    published = PublishedVGG(depth, with_bn=norm_cfg is not None)
    assert shapes(VGG(depth, norm_cfg=norm_cfg)) == shapes(published)


def test_vgg16_has_the_names_of_torchvisions_weights():
    names = set(VGG(16).state_dict())
    # The thirteen convolutions of the published model, by their numbers among ReLU and pooling.
    numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    assert names == {f"features.{n}.{kind}" for n in numbers for kind in ("weight", "bias")}
    assert VGG(16).state_dict()["features.28.weight"].shape == (512, 512, 3, 3)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(144, 192, (9, 12)), (160, 16, (10, 1)), (47, 33, (2, 2))],  # each of four poolings rounds down
)
def test_one_map_at_stride_16(height, width, expected):
    maps = VGG(11, base_channels=2)(torch.zeros(2, 3, height, width))
    assert [tuple(one.shape) for one in maps] == [(2, 16, *expected)]


def test_frozen_stages_have_no_gradient_and_the_rest_have():
    network = VGG(16, base_channels=2, frozen_stages=2).train()
    network(torch.rand(1, 3, 32, 32))[0].sum().backward()
    without = {name for name, weight in network.named_parameters() if weight.grad is None}
    assert without == {f"features.{n}.{kind}" for n in (0, 2, 5, 7) for kind in ("weight", "bias")}


@pytest.mark.parametrize("frozen_stages", [-1, 0])
def test_nothing_is_frozen_unless_asked(frozen_stages):
    assert all(weight.requires_grad for weight in VGG(11, 2, frozen_stages=frozen_stages).parameters())


def test_all_five_stages_can_be_frozen():
    assert not any(weight.requires_grad for weight in VGG(11, 2, frozen_stages=5).parameters())


def test_normalization_keeps_its_statistics_only_if_asked():
    images = torch.rand(2, 3, 32, 32) + 3
    kept = VGG(11, 2, norm_cfg={"type": "BN"}).train()
    kept(images)
    assert torch.equal(kept.features[1].running_mean, torch.zeros(2))
    learned = VGG(11, 2, norm_cfg={"type": "BN"}, norm_eval=False).train()
    learned(images)
    assert not torch.equal(learned.features[1].running_mean, torch.zeros(2))
    frozen = VGG(11, 2, frozen_stages=1, norm_cfg={"type": "BN"}, norm_eval=False).train()
    frozen(images)
    assert torch.equal(frozen.features[1].running_mean, torch.zeros(2))
    assert not torch.equal(frozen.features[5].running_mean, torch.zeros(4))


def test_weights_of_the_normalization_can_be_fixed():
    network = VGG(11, 2, norm_cfg={"type": "BN", "requires_grad": False})
    assert not network.features[1].weight.requires_grad
    assert network.features[0].weight.requires_grad


def test_weights_load_from_a_file_with_other_layers_besides(tmp_path):
    """Caffe's file of VGG-16 has the two converted fully connected layers as well (features.31 and features.33)."""
    torch.manual_seed(0)
    weights = {name: torch.randn_like(array) for name, array in VGG(16, 2).state_dict().items()}
    torch.save({**weights, "features.31.weight": torch.zeros(4, 16, 3, 3)}, tmp_path / "vgg16 caffé.pth")
    init_default_scope("tpsparse")
    network = MODELS.build(
        {
            "type": "VGG",
            "depth": 16,
            "base_channels": 2,
            "init_cfg": {"type": "Pretrained", "checkpoint": str(tmp_path / "vgg16 caffé.pth")},
        }
    )
    network.init_weights()
    assert all(torch.equal(array, weights[name]) for name, array in network.state_dict().items())


def test_what_vgg_does_not_have_is_refused():
    with pytest.raises(ValueError, match="11, 13, 16, 19, not 12"):
        VGG(12)
    with pytest.raises(ValueError, match="'GN'"):
        VGG(11, norm_cfg={"type": "GN"})
