"""BN-Inception: published names, shapes and size, what its blocks compute, weights from files of every kind."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tpsparse.errors import InputError
from tpsparse.models.backbones import BNInception
from tpsparse.registry import MODELS

NARROW = 1 / 16
# Channels, side, at the end of each block for an image of 224 x 224: Ioffe and Szegedy's figure 5, Caffe's channels.
STAGES = {
    "3a": (256, 28),
    "3b": (320, 28),
    "3c": (576, 14),
    "4a": (576, 14),
    "4b": (576, 14),
    "4c": (608, 14),
    "4d": (608, 14),
    "4e": (1056, 7),
    "5a": (1024, 7),
    "5b": (1024, 7),
}
# As public listings of the published file have them.
PUBLISHED = {
    "conv1_7x7_s2.weight": (64, 3, 7, 7),
    "conv1_7x7_s2_bn.running_mean": (64,),
    "conv2_3x3_reduce.bias": (64,),
    "conv2_3x3.weight": (192, 64, 3, 3),
    "inception_3a_pool_proj.weight": (32, 192, 1, 1),
    "inception_3c_double_3x3_2.weight": (96, 96, 3, 3),
    "inception_4a_1x1.weight": (224, 576, 1, 1),
    "inception_4c_double_3x3_1.weight": (160, 128, 3, 3),
    "inception_4e_3x3.weight": (192, 128, 3, 3),
    "inception_5a_double_3x3_reduce.weight": (160, 1056, 1, 1),
    "inception_5b_double_3x3_reduce.weight": (192, 1024, 1, 1),
    "inception_5b_pool_proj_bn.weight": (128,),
}


@pytest.fixture(scope="module")
def full():
    return BNInception().eval()


def narrow(**arguments):
    torch.manual_seed(0)
    network = BNInception(width=NARROW, **arguments)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if name.endswith(("running_var",)) else torch.randn_like(value))
    return network.eval()


class TestFullSize:
    def test_as_many_weights_as_published(self, full):
        # The published ImageNet model has 11,295,240, with a linear layer of 1,000 x 1,024 weights and 1,000 biases.
        assert sum(weight.numel() for weight in full.parameters()) == 11_295_240 - 1_025_000

    def test_published_names_and_shapes(self, full):
        shapes = {name: tuple(value.shape) for name, value in full.state_dict().items()}
        assert {name: shapes.get(name) for name in PUBLISHED} == PUBLISHED
        # 3 convolutions before the blocks; 7 in a block, but 5 in each of the two that halve the map.
        assert sum(name.endswith(".weight") for name in shapes) == 2 * (3 + 8 * 7 + 2 * 5)
        assert not any(name.startswith("inception_3c_1x1") or "4e_pool" in name for name in shapes)

    def test_size_after_every_block(self, full):
        sizes = {}
        block = full._block

        def record(name, *arguments):
            maps = block(name, *arguments)
            sizes[name.removeprefix("inception_")] = tuple(maps.shape[1:])
            return maps

        full._block = record
        with torch.inference_mode():
            output = full(torch.zeros(1, 3, 224, 224))
        del full._block
        assert sizes == {name: (channels, side, side) for name, (channels, side) in STAGES.items()}
        assert output.shape == (1, 1024, 7, 7) and full.out_channels == 1024


class TestWidth:
    @pytest.mark.parametrize(("width", "channels"), [(0.25, 256), (0.5, 512), (2, 2048)])
    def test_all_channels_follow(self, width, channels):
        network = BNInception(width=width)
        assert network.out_channels == channels
        assert network.inception_4d_3x3.weight.shape == (192 * width, 128 * width, 3, 3)

    def test_no_channel_left_is_refused(self):
        with pytest.raises(ValueError, match="width 0.01 has no channel left of 32"):
            BNInception(width=0.01)

    @pytest.mark.parametrize(("height", "width"), [(32, 96), (64, 64)])
    def test_one_map_at_stride_32(self, height, width):
        assert narrow()(torch.zeros(2, 3, height, width)).shape == (2, 64, height // 32, width // 32)

    @pytest.mark.parametrize("size", [(72, 96), (64, 65), (16, 32)])
    def test_other_sides_are_refused(self, size):
        with pytest.raises(ValueError, match=rf"multiples of 32, not \({size[0]}, {size[1]}\)"):
            narrow()(torch.zeros(1, 3, *size))

    def test_input_channels(self):
        assert narrow(in_channels=10)(torch.zeros(1, 10, 32, 32)).shape == (1, 64, 1, 1)


def plain_layer(weights, name, maps, *, stride=1):
    """Convolution, normalization by its formula, and ReLU, from the weights alone."""
    kernel = weights[f"{name}.weight"]
    maps = F.conv2d(maps, kernel, weights[f"{name}.bias"], stride=stride, padding=kernel.shape[-1] // 2)
    mean, variance, scale, shift = (
        weights[f"{name}_bn.{kind}"][:, None, None] for kind in ("running_mean", "running_var", "weight", "bias")
    )
    return ((maps - mean) / (variance + 1e-5).sqrt() * scale + shift).clamp(min=0)


@pytest.mark.parametrize(("name", "stride", "pool"), [("3a", 1, "avg"), ("4e", 2, "max"), ("5b", 1, "max")])
def test_a_block_is_its_branches_side_by_side(name, stride, pool):
    network = narrow()
    weights, block = network.state_dict(), f"inception_{name}"
    maps = torch.rand(2, weights[f"{block}_3x3_reduce.weight"].shape[1], 4, 4)
    three = plain_layer(weights, f"{block}_3x3_reduce", maps)
    double = plain_layer(weights, f"{block}_double_3x3_reduce", maps)
    double = plain_layer(weights, f"{block}_double_3x3_1", double)
    branches = [
        plain_layer(weights, f"{block}_3x3", three, stride=stride),
        plain_layer(weights, f"{block}_double_3x3_2", double, stride=stride),
    ]
    # Windows of 3 x 3 by unfolding: those that halve the map begin at 0 and 2, the last with one column outside.
    padded = F.pad(maps, (1, 1, 1, 1), value=0 if pool == "avg" else -9) if stride == 1 else F.pad(maps, (0, 1, 0, 1))
    windows = padded.unfold(2, 3, stride).unfold(3, 3, stride).flatten(4)
    pooled = windows.mean(dim=4) if pool == "avg" else windows.amax(dim=4)
    if stride == 1:
        branches.insert(0, plain_layer(weights, f"{block}_1x1", maps))
        pooled = plain_layer(weights, f"{block}_pool_proj", pooled)
    with torch.inference_mode():
        found = network._block(block, network.blocks[name], maps)
    torch.testing.assert_close(found, torch.cat([*branches, pooled], dim=1), rtol=1e-4, atol=1e-4)


class TestTraining:
    def test_all_learn_unless_asked(self):
        network = BNInception(width=NARROW).train()
        assert all(weight.requires_grad for weight in network.parameters())
        assert all(layer.training for layer in network.modules())

    def test_partial_bn_keeps_all_normalizations_but_the_first(self):
        network = BNInception(width=NARROW, partial_bn=True).train()
        norms = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)}
        assert [name for name, layer in norms.items() if layer.training] == ["conv1_7x7_s2_bn"]
        frozen = {name for name, weight in network.named_parameters() if not weight.requires_grad}
        assert frozen == {f"{name}.{kind}" for name in norms for kind in ("weight", "bias")} - {
            "conv1_7x7_s2_bn.weight",
            "conv1_7x7_s2_bn.bias",
        }
        before = network.conv2_3x3_bn.running_mean.clone()
        network(torch.rand(2, 3, 32, 32) + 3).sum().backward()
        assert torch.equal(network.conv2_3x3_bn.running_mean, before)
        assert not torch.equal(network.conv1_7x7_s2_bn.running_mean, torch.zeros(4))


def as_caffe(weights):
    """As the first released files are: normalizations of (1, C) and no count of batches."""
    return {
        name: value[None] if "_bn." in name else value
        for name, value in weights.items()
        if not name.endswith("num_batches_tracked")
    }


def with_prefix(weights, prefix):
    return {prefix + name: value for name, value in weights.items()}


class TestPretrained:
    @pytest.mark.parametrize(
        ("make", "extra"),
        [
            (lambda weights: weights, "last_linear"),
            (as_caffe, "fc"),
            (lambda weights: dict(state_dict=as_caffe(weights)), None),
            (lambda weights: dict(state_dict=with_prefix(weights, "module.base_model."), epoch=1), None),
            (lambda weights: with_prefix(weights, "base_model."), "new_fc"),
            (lambda weights: dict(state_dict=with_prefix(weights, "backbone."), meta={}), "cls_head.fc_cls"),
        ],
        ids=["imagenet", "caffe", "kinetics", "trained by tsn-pytorch", "base_model", "trained here"],
    )
    def test_files_of_every_kind(self, make, extra, tmp_path, scope):
        given = narrow()
        content = make(given.state_dict())
        if extra is not None:
            content.get("state_dict", content)[f"{extra}.weight"] = torch.zeros(5, 64)
        path = tmp_path / "bn inception (é).pth"
        torch.save(content, path)
        network = MODELS.build(dict(type="BNInception", width=NARROW, pretrained=str(path)))
        network.init_weights()
        images = torch.rand(1, 3, 32, 32)
        with torch.inference_mode():
            assert torch.equal(network.eval()(images), given(images))

    def test_flow_begins_with_the_mean_over_colours(self, tmp_path):
        given = narrow()
        torch.save(given.state_dict(), tmp_path / "rgb.pth")
        network = BNInception(width=NARROW, in_channels=10, pretrained=str(tmp_path / "rgb.pth"))
        network.init_weights()
        first = network.conv1_7x7_s2.weight
        assert first.shape == (4, 10, 7, 7)
        for channel in range(10):
            torch.testing.assert_close(first[:, channel], sum(given.conv1_7x7_s2.weight.unbind(1)) / 3)
        assert torch.equal(network.inception_5b_3x3.weight, given.inception_5b_3x3.weight)

    def test_another_width_is_refused(self, tmp_path):
        torch.save(narrow().state_dict(), tmp_path / "narrow.pth")
        network = BNInception(width=2 * NARROW, pretrained=str(tmp_path / "narrow.pth"))
        with pytest.raises(InputError, match=r"narrow\.pth is of another network"):
            network.init_weights()

    def test_missing_file(self, tmp_path):
        network = BNInception(width=NARROW, pretrained=str(tmp_path / "absent.pth"))
        with pytest.raises(InputError, match=r"absent\.pth was not found"):
            network.init_weights()

    def test_drawn_without_a_file(self):
        network = BNInception(width=NARROW)
        network.init_weights()
        assert torch.equal(network.conv2_3x3_bn.weight, torch.ones(12))
        assert network.conv2_3x3.weight.std() > 0


def test_is_the_backbone_of_a_recognizer(scope):
    model = MODELS.build(
        dict(
            type="FeatureRecognizer2D",
            backbone=dict(type="tpsparse.BNInception", width=NARROW),
            cls_head=dict(type="TSNHead", num_classes=3, in_channels=64, spatial_type="avg"),
        )
    )
    model.init_weights()
    features, _ = model.extract_feat(torch.rand(1, 4, 3, 32, 32), test_mode=True)
    assert features.shape == (4, 64, 1, 1)
    assert model.cls_head(features, num_segs=4).shape == (1, 3)
