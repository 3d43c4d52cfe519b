"""FrameEncoder: what the features are, how they are kept, and what bad videos and weights do."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
import tiny
import torch
import torchvision
from safetensors.numpy import load_file

from tpsparse.datasets.flow import FlowSettings, compute_flow
from tpsparse.datasets.video import FrameStore, Video
from tpsparse.errors import InputError
from tpsparse.models.backbones import BNInception
from tpsparse.parsing import FrameEncoder, frame_encoder
from tpsparse.structures.features_file import EncodedVideo, features_metadata

BACKBONE = dict(type="BNInception", width=1 / 16)
SIDE = 32
KEY = "vidéo 1/s00001_2_5_3_25 (a)"
NUM_FRAMES = 7


def draw(path, *, seed=0, frames=NUM_FRAMES):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(seed).integers(0, 255, (frames, 6, 8, 3), dtype=np.uint8)
    tiny.encode(path, [cv2.resize(picture, (64, 48), interpolation=cv2.INTER_CUBIC) for picture in pictures])
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("clips") / "clip (é).mp4")


def save_weights(path, *, seed=0, in_channels=3, prefix="backbone."):
    torch.manual_seed(seed)
    network = BNInception(width=1 / 16, in_channels=in_channels)
    for layer in network.children():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    weights = {prefix + name: value for name, value in network.state_dict().items()}
    torch.save(dict(state_dict={**weights, "cls_head.fc_cls.bias": torch.zeros(2)}), path)
    return network.eval()


@pytest.fixture
def make(tmp_path, scope):
    def build(**changes):
        if "checkpoint" not in changes:
            changes["checkpoint"] = str(tmp_path / "weights.pth")
            if not (tmp_path / "weights.pth").exists():
                save_weights(tmp_path / "weights.pth")
        arguments = dict(
            backbone=BACKBONE,
            data_preprocessor=dict(type="mmaction.ActionDataPreprocessor", mean=[100, 110, 120], std=[50, 60, 70]),
            pipeline=[
                dict(type="mmaction.Resize", scale=(SIDE, SIDE), keep_ratio=False),
                dict(type="mmaction.FormatShape", input_format="NCHW"),
                dict(type="mmaction.PackActionInputs"),
            ],
            save_dir=str(tmp_path / "features"),
        )
        return FrameEncoder(**{**arguments, **changes})

    return build


def by_hand(network, clip, *, mean=(100, 110, 120), std=(50, 60, 70), swap=False):
    """Features frame by frame, without the package's reader of frames, transforms or pooling."""
    found = []
    for frame in Video(clip).frames(range(1, NUM_FRAMES + 1)):
        small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        small = small[:, :, ::-1] if swap else small
        image = torch.tensor((small - np.float32(mean)) / np.float32(std)).permute(2, 0, 1)
        with torch.inference_mode():
            found.append(network(image[None])[0].mean(dim=(1, 2)).numpy())
    return np.stack(found)


class TestFeatures:
    def test_equal_those_by_hand(self, make, clip, tmp_path):
        network = save_weights(tmp_path / "weights.pth")
        assert make().encode(KEY, clip) == EncodedVideo(KEY)
        found = load_file(tmp_path / "features" / f"{KEY}.safetensors")["features"]
        assert found.dtype == np.float16 and found.shape == (NUM_FRAMES, 64)
        expected = by_hand(network, clip)
        assert np.ptp(expected, axis=0).max() > 0.05  # frames differ
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)

    def test_caffes_order_of_colours(self, make, clip, tmp_path):
        network = save_weights(tmp_path / "weights.pth")
        preparation = dict(type="mmaction.ActionDataPreprocessor", mean=[104, 117, 128], std=[1, 1, 1], to_rgb=True)
        found = make(data_preprocessor=preparation).features(Video(clip))
        expected = by_hand(network, clip, mean=(104, 117, 128), std=(1, 1, 1), swap=True)
        np.testing.assert_allclose(found, expected, rtol=5e-3, atol=0.05)

    @pytest.mark.parametrize(("frames", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
    def test_batches(self, make, clip, frames, sizes, monkeypatch):
        encoder, seen = make(batch_frames=frames), []
        batch = encoder._encode_batch
        monkeypatch.setattr(encoder, "_encode_batch", lambda items: seen.append(len(items["imgs"])) or batch(items))
        found = encoder.features(Video(clip))
        assert seen == sizes
        np.testing.assert_allclose(found, make().features(Video(clip)), rtol=2e-3, atol=1e-3)

    def test_large_frames_come_in_fewer(self, make, clip, monkeypatch):
        monkeypatch.setattr(frame_encoder, "WINDOW_BYTES", 2 * 48 * 64 * 3 + 1)
        monkeypatch.setattr("tpsparse.datasets.video.FRAMES", FrameStore(0))
        assert [len(items["imgs"]) for items in make()._items(Video(clip))] == [2, 2, 2, 1]
        monkeypatch.setattr(frame_encoder, "WINDOW_BYTES", 1)
        assert [len(items["imgs"]) for items in make()._items(Video(clip))] == [1] * 7

    def test_one_frame(self, make, tmp_path):
        assert make().features(Video(draw(tmp_path / "one.mp4", frames=1))).shape == (1, 64)

    def test_torchvisions_resnet(self, make, clip, tmp_path):
        torch.manual_seed(0)
        network = torchvision.models.resnet18()
        torch.save(network.state_dict(), tmp_path / "resnet.pth")
        backbone = dict(type="mmaction.ResNet", depth=18, pretrained=str(tmp_path / "resnet.pth"))
        found = make(backbone=backbone, checkpoint=None).features(Video(clip))
        maps = torch.nn.Sequential(*list(network.eval().children())[:-2])
        assert found.shape == (NUM_FRAMES, 512)
        np.testing.assert_allclose(found, by_hand(maps, clip), rtol=5e-3, atol=2e-3)


class TestFlow:
    SETTINGS = dict(short_side=32, effort="quick")

    def encoder(self, make, tmp_path):
        save_weights(tmp_path / "flow.pth", in_channels=10)
        return make(
            backbone=dict(BACKBONE, in_channels=10),
            checkpoint=str(tmp_path / "flow.pth"),
            data_preprocessor=dict(type="mmaction.ActionDataPreprocessor", mean=[128] * 10, std=[8] * 10),
            pipeline=[
                dict(type="DecodeFlow", compute=True, **self.SETTINGS),
                dict(type="mmaction.Resize", scale=(SIDE, SIDE), keep_ratio=False),
                dict(type="FormatFlow"),
                dict(type="mmaction.PackActionInputs"),
            ],
            flow_pairs=5,
            batch_frames=3,
        )

    def test_equal_those_by_hand(self, make, clip, tmp_path):
        encoder = self.encoder(make, tmp_path)
        found = encoder.features(Video(clip))
        # Seven frames have six pairs; the last frame takes the last pair.
        flow = compute_flow(clip, [1, 2, 3, 4, 5, 6], FlowSettings(**self.SETTINGS))
        for frame, pairs in {1: [1, 1, 1, 2, 3], 4: [2, 3, 4, 5, 6], 7: [5, 6, 6, 6, 6]}.items():
            images = [flow[pair - 1][..., axis] for pair in pairs for axis in (0, 1)]
            stack = np.stack([cv2.resize(image, (SIDE, SIDE)) for image in images]).astype(np.float32)
            with torch.inference_mode():
                expected = encoder.backbone(torch.tensor(stack - 128)[None] / 8)[0].mean(dim=(1, 2))
            np.testing.assert_allclose(found[frame - 1], expected, rtol=5e-3, atol=2e-3)

    def test_one_frame_has_no_motion(self, make, tmp_path):
        found = self.encoder(make, tmp_path).features(Video(draw(tmp_path / "one.mp4", frames=1)))
        assert found.shape == (1, 64) and np.isfinite(found).all()

    @pytest.mark.parametrize(
        ("pairs", "expected"), [(1, [[1], [7]]), (2, [[1, 1], [6, 7]]), (5, [[1, 1, 1, 2, 3], [5, 6, 7, 7, 7]])]
    )
    def test_a_frame_is_in_the_middle_of_its_stack(self, clip, pairs, expected):
        item = frame_encoder.flow_item(Video(clip), np.array([1, 7]), pairs)
        assert item["frame_inds"].tolist() == [number for stack in expected for number in stack]
        assert (item["clip_len"], item["num_clips"], item["filename"]) == (pairs, 2, str(clip))


class TestKept:
    def test_strings_beside_the_features(self, make, clip, tmp_path):
        encoder = make()
        encoder.encode(KEY, clip)
        metadata = features_metadata(tmp_path / "features" / f"{KEY}.safetensors")
        assert set(metadata) == {"key", "stamp", "encoder"}
        assert metadata["key"] == KEY and metadata["encoder"] == encoder.stamp != metadata["stamp"]
        made_by = json.loads((tmp_path / "features" / "made_by.json").read_text(encoding="utf-8"))
        assert made_by["stamp"] == encoder.stamp and made_by["backbone"] == BACKBONE
        assert not list((tmp_path / "features").rglob(".*"))

    def test_second_run_reads(self, make, clip, tmp_path, monkeypatch):
        make().encode(KEY, clip)
        file = tmp_path / "features" / f"{KEY}.safetensors"
        before = file.stat().st_mtime_ns
        monkeypatch.setattr(FrameEncoder, "features", lambda *_: pytest.fail("encoded again"))
        assert make().encode(KEY, clip) == EncodedVideo(KEY, found=True)
        assert file.stat().st_mtime_ns == before

    @pytest.mark.parametrize(
        "changes",
        [dict(batch_frames=2), dict(trained_by="config.py"), dict(backbone=dict(BACKBONE, partial_bn=True))],
        ids=["batch", "told config", "training"],
    )
    def test_what_changes_no_feature(self, make, clip, changes):
        make().encode(KEY, clip)
        assert make(**changes).encode(KEY, clip).found

    def test_the_same_weights_elsewhere(self, make, clip, tmp_path):
        make().encode(KEY, clip)
        run = tmp_path / "run of TSN (é)"
        run.mkdir()
        shutil.copy(tmp_path / "weights.pth", run / "epoch_2.pth")
        (run / "last_checkpoint").write_text("/moved/since/epoch_2.pth")
        assert make(checkpoint=str(run)).encode(KEY, clip).found
        assert make(checkpoint=str(run / "not there" / "..")).encode(KEY, clip).found
        backbone = dict(BACKBONE, pretrained=str(tmp_path / "weights.pth"))
        assert make(backbone=backbone, checkpoint=None).encode(KEY, clip).found

    @pytest.mark.parametrize(
        "changes",
        [
            dict(data_preprocessor=dict(type="mmaction.ActionDataPreprocessor", mean=[0, 0, 0], std=[50, 60, 70])),
            dict(
                pipeline=[
                    dict(type="mmaction.Resize", scale=(SIDE, 2 * SIDE), keep_ratio=False),
                    dict(type="mmaction.FormatShape", input_format="NCHW"),
                    dict(type="mmaction.PackActionInputs"),
                ]
            ),
            "weights",
        ],
        ids=["mean", "size", "weights"],
    )
    def test_another_encoder_encodes_again_and_says_so(self, make, clip, tmp_path, changes, monkeypatch):
        make().encode(KEY, clip)
        file = tmp_path / "features" / f"{KEY}.safetensors"
        before = load_file(file)["features"]
        if changes == "weights":
            save_weights(tmp_path / "weights.pth", seed=1)
            changes = {}
        told = []
        monkeypatch.setattr(frame_encoder, "print_log", lambda text, *_: told.append(text))
        encoder = make(**changes)
        assert [encoder.encode(key, clip).found for key in (KEY, "another")] == [False, False]
        assert len(told) == 1 and "features has features of another encoder" in told[0]
        assert not np.array_equal(load_file(file)["features"], before)
        assert json.loads((tmp_path / "features" / "made_by.json").read_text())["stamp"] == encoder.stamp

    def test_another_video_of_the_same_name(self, make, tmp_path):
        clip = draw(tmp_path / "a.mp4")
        make().encode(KEY, clip)
        draw(clip, seed=1)
        assert make().encode(KEY, clip) == EncodedVideo(KEY)

    def test_broken_features_are_made_again(self, make, clip, tmp_path):
        make().encode(KEY, clip)
        file = tmp_path / "features" / f"{KEY}.safetensors"
        whole = file.read_bytes()
        file.write_bytes(whole[:-1])
        (tmp_path / "features" / "made_by.json").write_text("[]")
        assert make().encode(KEY, clip) == EncodedVideo(KEY)
        assert len(file.read_bytes()) == len(whole)

    def test_no_room_ends_the_run_and_the_next_goes_on(self, make, clip, tmp_path, little_room):
        make().encode("first", clip)
        encoder = make()
        encoder._tell()
        # Seven frames of 64 numbers are under 2,000 bytes: twice as many are not.
        longer = draw(tmp_path / "longer.mp4", frames=20)
        with little_room(), pytest.raises(InputError, match=r"second\.safetensors cannot be written .* make room"):
            encoder.encode("second", longer)
        assert make().test_step(dict(key=["first", "second"], video=[clip, longer])) == [
            EncodedVideo("first", found=True),
            EncodedVideo("second"),
        ]


class TestBadVideos:
    def test_each_costs_itself(self, make, clip, tmp_path):
        (tmp_path / "a b.mp4").write_bytes(b"words")
        batch = dict(key=["1/a", "1/b", "2/c"], video=[str(tmp_path / "a b.mp4"), str(clip), str(tmp_path / "c.mp4")])
        bad, good, absent = make().test_step(batch)
        assert good == EncodedVideo("1/b")
        assert bad.error.startswith(f"{tmp_path / 'a b.mp4'} ") and absent.error.startswith(f"{tmp_path / 'c.mp4'} ")
        assert [path.name for path in (tmp_path / "features").rglob("*.safetensors")] == ["b.safetensors"]

    def test_named_like_the_file_without_keys(self, make, clip, tmp_path):
        assert make().test_step(dict(video=[str(clip)])) == [EncodedVideo("clip (é)")]
        assert (tmp_path / "features" / "clip (é).safetensors").is_file()

    @pytest.mark.parametrize("key", ["../a", "a/../../b", "/tmp/a", ""])
    def test_names_that_lead_elsewhere(self, make, clip, key):
        assert "cannot be the name of a file" in make().encode(key, clip).error

    @pytest.mark.parametrize("value", [float("nan"), 1e6], ids=["nan", "too large for 16 bits"])
    def test_features_that_are_no_numbers(self, make, clip, tmp_path, value):
        encoder = make()
        encoder.backbone.inception_5b_1x1_bn.bias.data[0] = value
        assert "has features that are infinite or NaN" in encoder.encode(KEY, clip).error
        assert not (tmp_path / "features" / f"{KEY}.safetensors").exists()


class TestWeights:
    def test_none(self, make):
        with pytest.raises(InputError, match="backbone BNInception has no weights: give a checkpoint"):
            make(checkpoint=None)

    def test_missing(self, make, tmp_path):
        with pytest.raises(InputError, match=r"run/epoch_1\.pth is missing: give a file, a URL, or the folder"):
            make(checkpoint=str(tmp_path / "run" / "epoch_1.pth"))
        with pytest.raises(InputError, match=r"run is missing: train it with python tools/train\.py tsn\.py"):
            make(checkpoint=str(tmp_path / "run"), trained_by="tsn.py")

    def test_of_another_backbone(self, make, tmp_path):
        torch.save(BNInception(width=1 / 8).state_dict(), tmp_path / "wide.pth")
        with pytest.raises(InputError, match=r"wide\.pth is of another network"):
            make(checkpoint=str(tmp_path / "wide.pth"))
        torch.save([1], tmp_path / "list.pth")
        with pytest.raises(InputError, match=r"list\.pth holds no weights"):
            make(checkpoint=str(tmp_path / "list.pth"))

    def test_no_batch(self, make):
        with pytest.raises(InputError, match="batch_frames is 0"):
            make(batch_frames=0)

    def test_is_not_differentiable(self, make):
        with pytest.raises(NotImplementedError):
            make()(torch.zeros(1))
