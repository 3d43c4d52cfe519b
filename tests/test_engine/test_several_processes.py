"""Training in several gloo processes: what one process gives, in whatever way the samples are shared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from tpsparse.structures import FrameParse, VideoParse

CURVES = Path(__file__).with_name("loss_curves.py")
ITERATIONS = 20
HOOKS = [dict(type=name) for name in ("EpochSeedHook", "MeanOverProcessesHook", "FreezeNormHook", "BatchHook")]
# The samples that all processes together take for a step.
BATCH = {"parts": 8, "persons": 4, "fusion": 6, "timesformer": 6, "swin": 6}


def write(path: Path, source: Path | Config, root: Path, processes: int, **options) -> Path:
    """A config of ``ITERATIONS`` iterations, its batch shared among the processes, its draws switched off."""
    cfg = source if isinstance(source, Config) else Config.fromfile(source)
    batch = BATCH[path.stem]
    cfg.merge_from_dict(
        {
            "data_root": str(root),
            "log_level": "WARNING",
            "custom_hooks": HOOKS,
            "default_hooks.checkpoint.interval": 1000,
            "visualizer.vis_backends": [dict(type="LocalVisBackend")],
            "train_dataloader.batch_size": batch // processes,
            **options,
        }
    )
    cfg.dump(path)
    return path


def write_parts(drawn, folder, root, processes, **changes):
    path = drawn.narrow_part_config(folder / "parts.py", root)
    return write(path, path, root, processes, **{"train_cfg.max_epochs": 5, **changes})  # 32 crops


def write_persons(drawn, folder, root, processes, *, only_actions=True, **changes):
    cfg = Config.fromfile(drawn.quick_config("person_detection"))
    if only_actions:  # mmdet's own losses draw proposals at random
        cfg.model.rpn_head.loss_cls.loss_weight = cfg.model.rpn_head.loss_bbox.loss_weight = 0
        cfg.model.roi_head.stage_loss_weights = [0, 0, 0]
    cfg.model.instance_action.sampler.num = 512
    cfg.param_scheduler = []  # its warm-up is longer than this training
    for step in cfg.train_dataloader.dataset.pipeline:
        if "scale" in step:
            step.scale = (96, 64)
    options = {
        "model.backbone.base_channels": 4,
        "model.neck.in_channels": [4 * 2**i for i in range(4)],
        "model.context_action.in_channels": 32,
        "train_cfg.max_epochs": 4,
        "train_dataloader.dataset.frame_step": 3,  # 24 frames
    }
    return write(folder / "persons.py", cfg, root, processes, **{**options, **changes})


def write_recognizer(drawn, folder, root, processes, name, **options):
    source = min((drawn.QUICK / "action_recognition").glob(f"dap_{name}*.py"), key=lambda path: len(path.name))
    common = {"train_cfg.max_epochs": 10, "train_dataloader.dataset.repeat": 2}  # 12 clips
    return write(folder / f"{name}.py", source, root, processes, **common, **options)


def write_fusion(drawn, folder, root, processes):
    save_parses(drawn, folder / "parses" / "train")
    cfg = Config.fromfile(drawn.quick_config("feature_fusion"))
    features = dict(frame_features=dict(context=6), person_features=dict(part=4), video_features=dict(swin=5))
    cfg.model = {**cfg.model, **features, "dropout": 0.0}
    options = {"parses_dir": str(folder / "parses"), "train_cfg.max_epochs": ITERATIONS}  # 6 videos
    return write(folder / "fusion.py", cfg, root, processes, **options)


def save_parses(drawn, folder: Path) -> None:
    """Random features of the training videos; every other frame is without persons."""
    rng = np.random.default_rng(0)
    for action in drawn.ACTIONS:
        for number in range(drawn.VIDEOS["train"]):
            frames = []
            for frame in range(1, 5):
                persons = 2 * (frame % 2)
                boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (persons, 1))
                features = {"part": rng.normal(size=(persons, 4)).astype(np.float32)}
                context = {"context": rng.normal(size=6).astype(np.float32)}
                frames.append(FrameParse(frame, boxes, features=context, person_features=features))
            video = VideoParse(f"{action}_train_{number}", size=drawn.SIZE, num_frames=4, fps=10.0, frames=frames)
            video.features["swin"] = rng.normal(size=5).astype(np.float32)
            video.save(folder / f"{video.video}.safetensors")


def write_all(drawn, folder: Path, root: Path, processes: int) -> list[Path]:
    folder.mkdir()
    common = (drawn, folder, root, processes)
    return [
        write_parts(*common),
        write_persons(*common),
        write_fusion(*common),
        # One layer: the depth decides the rate of dropped paths, from 0 in the first.
        write_recognizer(*common, "timesformer", **{"model.backbone.num_transformer_layers": 1}),
        write_recognizer(*common, "swin", **{"model.cls_head.dropout_ratio": 0.0}),
    ]


@pytest.fixture(scope="module")
def curves(drawn, environment, tiny_root, tmp_path_factory):
    """Number of processes to what each network's training told, a list over the ranks."""
    folder = tmp_path_factory.mktemp("curves")
    folders = [folder / str(processes) for processes in (1, 2, 4)]
    for path in folders[:2]:
        write_all(drawn, path, tiny_root, int(path.name))
    folders[2].mkdir()
    write_parts(drawn, folders[2], tiny_root, 4)  # the network whose labels are shared most unevenly
    return {int(path.name): told for path, told in train(folders, environment).items()}


def train(folders: list[Path], environment) -> dict[Path, dict[str, list[dict]]]:
    command = [sys.executable, str(CURVES), *map(str, folders)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[Path, dict[str, list[dict]]] = {path: {} for path in folders}
    for path in folders:
        for told in sorted(path.glob("*_*.json")):
            found[path].setdefault(told.stem.rpartition("_")[0], []).append(json.loads(told.read_text()))
    return found


CASES = [(2, name) for name in BATCH] + [(4, "parts")]


OWN = ("loss", "acc_ins", "acc_img", "acc_action")  # mmdet's accuracies are of the proposals that a process draws


@pytest.mark.parametrize(("processes", "network"), CASES)
def test_loss_curve_is_that_of_one_process(curves, processes, network):
    [alone], shared = curves[1][network], curves[processes][network]
    names = [name for name in alone["losses"] if any(own in name for own in OWN)]
    for name in names:
        expected = alone["losses"][name]
        assert len(expected) >= ITERATIONS
        for told in shared:
            np.testing.assert_allclose(told["losses"][name], expected, atol=1e-4, rtol=0, err_msg=name)
    assert len(shared) == processes
    first, *_, last = alone["losses"]["train/loss"]
    assert abs(first - last) > 1e-2  # the weights have moved, so the curves could differ


@pytest.mark.parametrize(("processes", "network"), CASES)
def test_batches_together_are_that_of_one_process(curves, processes, network):
    [alone], shared = curves[1][network], curves[processes][network]
    for step, batch in enumerate(alone["batches"]):
        together = [sample for told in shared for sample in told["batches"][step]]
        assert sorted(together) == sorted(batch), step


@pytest.mark.parametrize(("processes", "network"), CASES)
def test_weights_are_those_of_every_process(curves, processes, network):
    assert len({told["weights"] for told in curves[processes][network]}) == 1


class TestWithoutLabels:
    """A process whose frames have no persons, or whose crops have no parts, still takes part in every step."""

    @pytest.fixture(scope="class")
    def told(self, drawn, environment, tiny_root, tmp_path_factory):
        folder = tmp_path_factory.mktemp("sparse") / "2"
        folder.mkdir()
        root = shutil.copytree(tiny_root, folder.parent / "data", ignore=shutil.ignore_patterns("index"))
        for path in root.glob("train_annotations/*/*_0/*.json"):  # one of each action's two videos
            path.write_text(json.dumps(dict(json.loads(path.read_text()), humans=[])))
        common = {"custom_hooks": [hook for hook in HOOKS if hook["type"] != "FreezeNormHook"]}
        one_each = {**common, "train_dataloader.batch_size": 1, "train_cfg.max_epochs": 1}
        write_persons(drawn, folder, root, 2, only_actions=False, **one_each)
        pipeline = [dict(type="HidePartsOfSome", video=f"{action}_train_1") for action in drawn.ACTIONS]
        cfg = Config.fromfile(drawn.narrow_part_config(folder / "parts.py", tiny_root))
        pipeline += cfg.train_dataloader.dataset.pipeline
        write_parts(drawn, folder, tiny_root, 2, **one_each, **{"train_dataloader.dataset.pipeline": pipeline})
        return train([folder], environment)[folder]

    @pytest.mark.parametrize("network", ["persons", "parts"])
    def test_training_goes_on(self, told, network):
        first, second = told[network]
        pairs = list(zip(first["labels"], second["labels"]))
        assert any(a == 0 < b for a, b in pairs) and any(b == 0 < a for a, b in pairs)
        assert any(a == b == 0 for a, b in pairs)
        for process in (first, second):
            assert all(np.isfinite(values).all() for values in process["losses"].values())
        assert first["weights"] == second["weights"]
