"""tools/test.py on the configs of configs/frame_features: whole runs, interrupted ones, bad videos, weights."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress

import cv2
import numpy as np
import pytest
import tiny
import tiny_tapos
import torch
from mmengine.config import Config
from safetensors.numpy import load_file

from tpsparse import apis
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.models.backbones import BNInception
from tpsparse.parsing import FrameEncoder
from tpsparse.registry import DATASETS, MODELS
from tpsparse.taxonomy import Taxonomy

FULL, QUICK = (folder / "frame_features" for folder in (tiny.CONFIGS, tiny.QUICK))
CONFIG = QUICK / "bn-inception-x4_tsn_synthetic-64.py"
TSN = "tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb"
NAMES = Taxonomy(parts=(), states=(), actions=("diving", "vault"))


def draw(path, frames, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(seed).integers(0, 255, (frames, 6, 8, 3), dtype=np.uint8)
    tiny.encode(path, [cv2.resize(picture, (64, 48), interpolation=cv2.INTER_CUBIC) for picture in pictures])


@pytest.fixture(scope="module")
def drawn_root(tmp_path_factory):
    """Three training and three validation instances with their videos."""
    root = tiny_tapos.write_instances(tmp_path_factory.mktemp("tapos") / "data é", train=3, val=3)
    shutil.rmtree(root / "features")
    annotation = json.loads((root / "tapos_annotation.json").read_text(encoding="utf-8"))
    for seed, (video, instances) in enumerate(annotation.items()):
        for name, entry in instances.items():
            draw(root / "instances" / video / f"{name}.mp4", entry["total_frames"], seed)
    return root


@pytest.fixture
def root(drawn_root, tmp_path):
    return shutil.copytree(drawn_root, tmp_path / "data é")


@pytest.fixture
def weights(tmp_path):
    """The last checkpoint of the quick TSN, where a work folder beside it finds it."""
    torch.manual_seed(0)
    folder = tmp_path / "runs" / TSN
    folder.mkdir(parents=True)
    network = BNInception(width=0.25)
    torch.save(
        dict(state_dict={f"backbone.{name}": value for name, value in network.state_dict().items()}),
        folder / "epoch_1.pth",
    )
    (folder / "last_checkpoint").write_text("epoch_1.pth")
    return folder / "epoch_1.pth"


@pytest.fixture(autouse=True)
def plain_text_of_configs(monkeypatch):
    """mmengine logs each run's config five times, and formats it for a second each time."""
    monkeypatch.setattr(Config, "pretty_text", property(lambda self: repr(self._cfg_dict)))


@pytest.fixture
def encode(run_tool, root, tmp_path, capsys):
    def call(*arguments, config=CONFIG, data_root=root, options=()):
        out = tmp_path / "out"
        given = [*arguments, "--work-dir", tmp_path / "runs" / "features", "--out", out]
        status = run_tool("test", config, *given, "--cfg-options", f"data_root={data_root}", *options)
        counts = json.loads((out / "metrics.json").read_text()) if (out / "metrics.json").is_file() else {}
        shutil.rmtree(out, ignore_errors=True)
        return status, [counts.get(f"features/{name}") for name in ("encoded", "found", "failed")], capsys.readouterr()

    return call


def files(root, name="bn-inception-x4_tsn"):
    folder = root / "features" / name
    return {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*.safetensors"))}


def lengths(root, subset):
    annotation = json.loads((root / "tapos_annotation.json").read_text(encoding="utf-8"))
    return {
        f"{video}/{name}": entry["total_frames"]
        for video, instances in annotation.items()
        for name, entry in instances.items()
        if entry["subset"] == subset
    }


def test_each_split_by_itself(encode, root, weights, find_leftovers):
    status, counts, _ = encode()
    assert (status, counts) == (0, [3, 0, 0])
    found = {key: load_file(path)["features"].shape for key, path in files(root).items()}
    assert found == {key: (frames, 256) for key, frames in lengths(root, "val").items()}
    assert encode(options=["test_split=train"])[:2] == (0, [3, 0, 0])
    assert set(files(root)) == set(lengths(root, "val")) | set(lengths(root, "train"))
    assert encode()[:2] == (0, [0, 3, 0])
    assert find_leftovers(root) == []


def test_temporal_parsing_reads_them(encode, root, weights, scope):
    encode()
    dataset = DATASETS.build(
        dict(
            type="TAPOSFeatureDataset",
            data_root=str(root),
            split="val",
            taxonomy=NAMES.to_meta(),
            features=str(root / "features" / "bn-inception-x4_tsn"),
            pipeline=[],
        )
    )
    assert len(dataset) == 3 and dataset[0]["features"].shape[1] == 256 and len(dataset.problems) == 0


def test_interrupted_and_gone_on_with(encode, root, weights, monkeypatch):
    features, done = FrameEncoder.features, []

    def stop_at_the_second(self, video):
        if done:
            raise KeyboardInterrupt
        done.append(video)
        return features(self, video)

    with monkeypatch.context() as patch:
        patch.setattr(FrameEncoder, "features", stop_at_the_second)
        with suppress(KeyboardInterrupt):
            assert encode()[0] != 0
    assert len(files(root)) == 1
    assert encode()[:2] == (0, [2, 1, 0])
    assert set(files(root)) == set(lengths(root, "val"))


def test_bad_videos_are_listed_and_the_rest_is_done(encode, root, weights):
    first, second, third = (root / "instances" / f"{key}.mp4" for key in lengths(root, "val"))
    first.write_bytes(b"words")
    second.unlink()
    status, counts, told = encode()
    assert (status, counts) == (3, [1, 0, 1])
    text = told.out + told.err
    assert f"{first}: " in text and f"{second}: is missing" in text
    draw(first, 9, seed=7)
    assert encode()[:2] == (3, [1, 1, 0])


class TestWeights:
    def test_given_in_place_of_the_configs(self, encode, root, weights, tmp_path):
        encode()
        before = {key: load_file(path)["features"] for key, path in files(root).items()}
        torch.manual_seed(1)
        torch.save(BNInception(width=0.25).state_dict(), tmp_path / "other.pth")
        assert encode(tmp_path / "other.pth")[:2] == (0, [3, 0, 0])
        after = {key: load_file(path)["features"] for key, path in files(root).items()}
        assert all(not np.array_equal(before[key], after[key]) for key in before)
        assert encode(options=[f"model.checkpoint={tmp_path / 'other.pth'}"])[:2] == (0, [0, 3, 0])
        assert encode()[:2] == (0, [3, 0, 0])

    def test_missing(self, encode, root, tmp_path):
        status, _, told = encode()
        assert status == 2 and "Traceback" not in told.err
        folder = tmp_path / "runs" / TSN
        assert f"checkpoint {folder} is missing: train it with python tools/train.py" in told.err
        assert f"{TSN}.py --work-dir {folder}" in told.err
        assert not (root / "features").exists()
        status, _, told = encode(tmp_path / "absent.pth")
        assert status == 2 and f"checkpoint {tmp_path / 'absent.pth'} is missing" in told.err

    def test_of_another_network(self, encode, tmp_path):
        torch.save(BNInception(width=0.5).state_dict(), tmp_path / "wide.pth")
        status, _, told = encode(tmp_path / "wide.pth")
        assert status == 2 and "wide.pth is of another network" in told.err


def test_training_is_refused(run_tool, root, capsys):
    assert run_tool("train", CONFIG, "--cfg-options", f"data_root={root}") == 2
    assert "trains no network" in capsys.readouterr().err


def test_videos_of_kinetics_tps(encode, tiny_copy, tmp_path):
    """The full-size config on small pictures."""
    torch.manual_seed(0)
    torch.save(BNInception(width=1 / 16).state_dict(), tmp_path / "narrow.pth")
    options = ["model.backbone.width=0.0625", "model.pipeline.0.scale=(-1,32)", "model.pipeline.1.crop_size=32"]
    status, counts, _ = encode(
        tmp_path / "narrow.pth",
        config=FULL / "bn-inception_imagenet_kinetics-tps-224.py",
        data_root=tiny_copy,
        options=options,
    )
    assert (status, counts) == (0, [3, 0, 0])
    found = {key: load_file(path)["features"].shape for key, path in files(tiny_copy, "bn-inception_imagenet").items()}
    assert found == {f"{action}_test_0": (12, 64) for action in tiny.ACTIONS}


class TestConfigs:
    @pytest.mark.parametrize("path", sorted([*FULL.glob("*.py"), *QUICK.glob("*.py")]), ids=lambda path: path.stem)
    def test_encoder_builds_and_takes_its_inputs(self, path, tmp_path, scope):
        cfg = load_config(path, taxonomy=NAMES, options=dict(data_root=str(tmp_path)))
        assert apis.is_encoder(cfg) and not apis.is_system(cfg)
        model = cfg.model
        model.backbone.pop("pretrained", None)
        torch.manual_seed(0)
        backbone = MODELS.build(dict(model.backbone))
        torch.save(backbone.state_dict(), tmp_path / "weights.pth")
        model.checkpoint = str(tmp_path / "weights.pth")
        draw(tmp_path / "a.mp4", 2, seed=0)
        encoder = FrameEncoder(**{name: value for name, value in model.items() if name != "type"})
        assert encoder.encode("a", tmp_path / "a.mp4").error is None
        channels = 2048 if "resnet50" in path.stem else 256 if "x4" in path.stem else 1024
        file = next(tmp_path.rglob("a.safetensors"))
        assert load_file(file)["features"].shape == (2, channels)
        assert file.parent.parent == tmp_path / "features" and str(file.parent.name) in cfg.model.save_dir

    @pytest.mark.parametrize(
        ("encoder", "network"),
        [
            (CONFIG, tiny.QUICK / "action_recognition" / f"{TSN}.py"),
            (
                FULL / "bn-inception_imagenet_tapos-224.py",
                tiny.CONFIGS / "action_recognition" / "tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py",
            ),
        ],
        ids=["quick", "full"],
    )
    def test_frames_are_prepared_as_for_the_recognizer(self, encoder, network):
        encoder, network = Config.fromfile(encoder), Config.fromfile(network)
        ours, theirs = encoder.model.data_preprocessor, network.model.data_preprocessor
        assert {**ours, "type": ""} == {**theirs, "type": ""}
        assert ours.type.rpartition(".")[2] == theirs.type
        assert encoder.model.backbone.get("width") == network.model.backbone.get("width")
        kinds = [step.type for step in network.test_pipeline]
        assert encoder.model.pipeline == network.test_pipeline[kinds.index("DecodeFrames") + 1 :]

    def test_quick_weights_are_those_of_a_config(self):
        assert Config.fromfile(CONFIG).weights_from.endswith(f"/../action_recognition/{TSN}.py")
        assert (tiny.QUICK / "action_recognition" / f"{TSN}.py").is_file()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (dict(type="FrameEncoder"), True),
        (dict(type="tpsparse.FrameEncoder"), True),
        (dict(type="ActionParser"), False),
        (None, False),
    ],
)
def test_is_encoder(model, expected):
    assert apis.is_encoder(Config({} if model is None else dict(model=model))) is expected


def test_an_encoder_is_no_system_for_parsing(root):
    with pytest.raises(InputError, match="is of one network: give a system config"):
        apis.build_parser(CONFIG)
