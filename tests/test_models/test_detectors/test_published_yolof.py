"""Weights of YOLOF's authors under mmdet's names; theirs are made here by a network in their layout."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from tpsparse.models.detectors.published_yolof import from_published
from tpsparse.registry import MODELS

COCO = 80


class AuthorsConv(nn.Conv2d):
    """A convolution of Detectron2: without a bias, its norm inside it."""

    def __init__(self, cin: int, cout: int, size: int, stride: int = 1) -> None:
        super().__init__(cin, cout, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(cout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(super().forward(images))


class AuthorsBottleneck(nn.Module):
    def __init__(self, cin: int, middle: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = AuthorsConv(cin, middle, 1, stride), AuthorsConv(middle, middle, 3)
        self.conv3 = AuthorsConv(middle, 4 * middle, 1)
        if stride != 1 or cin != 4 * middle:
            self.shortcut = AuthorsConv(cin, 4 * middle, 1, stride)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = self.conv3(self.conv2(self.conv1(images).relu()).relu())
        return (found + (self.shortcut(images) if hasattr(self, "shortcut") else images)).relu()


def conv_bn(cin: int, cout: int, size: int, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (size // 2)
    return [nn.Conv2d(cin, cout, size, padding=padding, dilation=dilation), nn.BatchNorm2d(cout), nn.ReLU()]


class Authors(nn.Module):
    """Their YOLOF with ResNet-50, narrow in the encoder, up to what the head gives before objectness is joined."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.stem = nn.Module()
        self.backbone.stem.conv1 = AuthorsConv(3, 64, 7, 2)
        cin = 64
        for stage, blocks in zip(range(2, 6), (3, 4, 6, 3)):
            middle = 64 * 2 ** (stage - 2)
            rows = []
            for i in range(blocks):
                rows.append(AuthorsBottleneck(cin, middle, 2 if i == 0 and stage > 2 else 1))
                cin = 4 * middle
            setattr(self.backbone, f"res{stage}", nn.Sequential(*rows))
        self.encoder = nn.Module()
        self.encoder.lateral_conv, self.encoder.lateral_norm = nn.Conv2d(cin, width, 1), nn.BatchNorm2d(width)
        self.encoder.fpn_conv, self.encoder.fpn_norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        blocks = []
        for dilation in (2, 4, 6, 8):
            block = nn.Module()
            block.conv1 = nn.Sequential(*conv_bn(width, 8, 1))
            block.conv2 = nn.Sequential(*conv_bn(8, 8, 3, dilation))
            block.conv3 = nn.Sequential(*conv_bn(8, width, 1))
            blocks.append(block)
        self.encoder.dilated_encoder_blocks = nn.Sequential(*blocks)
        self.decoder = nn.Module()
        self.decoder.cls_subnet = nn.Sequential(*[m for _ in range(2) for m in conv_bn(width, width, 3)])
        self.decoder.bbox_subnet = nn.Sequential(*[m for _ in range(4) for m in conv_bn(width, width, 3)])
        self.decoder.cls_score = nn.Conv2d(width, 5 * COCO, 3, padding=1)
        self.decoder.bbox_pred = nn.Conv2d(width, 20, 3, padding=1)
        self.decoder.object_pred = nn.Conv2d(width, 5, 3, padding=1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = nn.functional.max_pool2d(self.backbone.stem.conv1(images).relu(), 3, 2, 1)
        for stage in range(2, 6):
            found = getattr(self.backbone, f"res{stage}")(found)
        encoder, decoder = self.encoder, self.decoder
        found = encoder.fpn_norm(encoder.fpn_conv(encoder.lateral_norm(encoder.lateral_conv(found))))
        for block in encoder.dilated_encoder_blocks:
            found = found + block.conv3(block.conv2(block.conv1(found)))
        boxes = decoder.bbox_subnet(found)
        classes = decoder.cls_score(decoder.cls_subnet(found))
        n, _, h, w = classes.shape
        classes, objects = classes.view(n, 5, COCO, h, w), decoder.object_pred(boxes).view(n, 5, 1, h, w)
        joined = classes + objects - torch.log1p(classes.exp() + objects.exp())
        return joined, decoder.bbox_pred(boxes)


def unlike_a_start(network: nn.Module) -> nn.Module:
    """Every tensor drawn anew, norms and biases too, so that an exchange of two shows."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            drawn = torch.randn(value.shape, generator=generator) * 0.1
            value.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn + name.endswith("norm.weight"))
            if value.ndim == 4:
                value.copy_(drawn * 7 / value[0].numel() ** 0.5)
            if name.startswith(("decoder.cls_score", "decoder.object_pred")):
                value *= 0.3  # else their exponentials leave what floats can hold
    return network.eval()


def mmdets(classes: int) -> nn.Module:
    return MODELS.build(
        dict(
            type="mmdet.YOLOF",
            backbone=dict(type="mmdet.ResNet", depth=50, out_indices=(3,), style="caffe", norm_eval=True),
            neck=dict(
                type="mmdet.DilatedEncoder",
                in_channels=2048,
                out_channels=16,
                block_mid_channels=8,
                num_residual_blocks=4,
                block_dilations=[2, 4, 6, 8],
            ),
            bbox_head=dict(
                type="tpsparse.TiedYOLOFHead",
                num_classes=classes,
                in_channels=16,
                anchor_generator=dict(
                    type="mmdet.AnchorGenerator", ratios=[1.0], scales=[1, 2, 4, 8, 16], strides=[32]
                ),
                bbox_coder=dict(type="mmdet.DeltaXYWHBBoxCoder"),
            ),
        )
    ).eval()


@pytest.fixture(scope="module")
def authors() -> nn.Module:
    return unlike_a_start(Authors())


def published(authors: nn.Module) -> dict[str, torch.Tensor]:
    outside = {"pixel_mean": torch.zeros(3, 1, 1), "anchor_generator.cell_anchors.0": torch.zeros(5, 4)}
    return {**authors.state_dict(), **outside}


@pytest.mark.parametrize(("classes", "kept"), [(None, list(range(COCO))), ((0,), [0]), ((3, 1), [3, 1])])
@torch.no_grad()
def test_the_networks_say_the_same(authors, classes, kept):
    network = mmdets(len(kept))
    network.load_state_dict(from_published(published(authors), classes), strict=True)
    images = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(1))
    [scores], [boxes] = network.bbox_head(network.neck(network.backbone(images)))
    expected_scores, expected_boxes = authors(images)
    assert expected_boxes.abs().mean() > 1e-3  # neither is lost in its biases
    torch.testing.assert_close(boxes, expected_boxes, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(scores, expected_scores[:, :, kept].flatten(1, 2), rtol=1e-3, atol=1e-4)


def test_without_classes_their_layer_is_left_out(authors):
    found = from_published(published(authors), ())
    wanted = mmdets(10).state_dict()
    lacking = set(wanted) - set(found)
    assert lacking == {"bbox_head.cls_score.weight", "bbox_head.cls_score.bias"} and not set(found) - set(wanted)


@pytest.mark.parametrize("name", ["decoder.mask_head.weight", "backbone.res6.0.conv1.weight", "xencoder.fpn_conv.bias"])
def test_other_weights_are_refused(authors, name):
    with pytest.raises(ValueError, match="no weight of YOLOF"):
        from_published({**authors.state_dict(), name: torch.zeros(1)})


def test_a_bias_without_its_norm_is_refused(authors):
    weights = authors.state_dict()
    del weights["encoder.dilated_encoder_blocks.2.conv1.1.running_mean"]
    with pytest.raises(ValueError, match="stands before no norm"):
        from_published(weights)


class TestTool:
    def test_person_detector_starts_from_its_file(self, run_tool, authors, tmp_path):
        torch.save(dict(model=published(authors)), tmp_path / "theirs.pth")
        out = tmp_path / "new folder" / "ours.pth"
        assert run_tool("convert_weights", "yolof", tmp_path / "theirs.pth", "--out", out) == 0
        weights = torch.load(out, weights_only=True)["state_dict"]
        assert weights["bbox_head.cls_score.weight"].shape == (5, 16, 3, 3)
        mmdets(1).load_state_dict(weights, strict=True)

    def test_other_file_is_told(self, run_tool, tmp_path, capsys):
        torch.save(dict(model=dict(a=torch.zeros(1))), tmp_path / "other.pth")
        assert run_tool("convert_weights", "yolof", tmp_path / "other.pth", "--out", tmp_path / "x.pth") == 2
        assert re.search(r"other\.pth has other weights than YOLOF's", capsys.readouterr().err)
        assert not (tmp_path / "x.pth").exists()
