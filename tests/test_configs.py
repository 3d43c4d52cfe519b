"""Every config is read and its model built; systems are built with their stages' networks, encoders encode."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import tiny
import tiny_tapos
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from safetensors.numpy import load_file

from tpsparse import apis
from tpsparse.engine import evaluators, load_config
from tpsparse.models.temporal_parsing import TemporalParser
from tpsparse.parsing import (
    actions,
    base,
    frame_parts,
    network,
    part_states,
    parts,
    persons,
    pose,
    segments,
)
from tpsparse.parsing.parser import build_stage
from tpsparse.registry import DATASETS, MODELS
from tpsparse.structures.boundaries_file import Boundaries
from tpsparse.structures.features_file import save_features
from tpsparse.structures.segments import LabelTable
from tpsparse.taxonomy import Taxonomy

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGS = REPOSITORY / "configs"
SIDES = [f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in ("left", "right")]
# As many names as Kinetics-TPS has.
NAMES = Taxonomy(
    parts=("head", "hip", *SIDES),
    states=tuple(f"state {i}" for i in range(74)),
    actions=tuple(f"action {i}" for i in range(24)),
    objects=tuple(f"object {i}" for i in range(75)),
)
# Of a state recognizer, where there is no training split to derive them from.
LABELS = LabelTable("head", 3.0, (("action 0", "state 0"), ("action 1", "state 0"))).to_meta()


def found() -> list[Path]:
    return sorted(path for path in CONFIGS.rglob("*.py") if "_base_" not in path.parts)


def label(path: Path) -> str:
    return str(path.relative_to(CONFIGS))


KEYPOINTS = CONFIGS / "pose_estimation" / "keypoints_mediapipe.py"
# The keypoints too are what a row of stages writes.
SYSTEMS = [path for path in found() if path.parent.name == "systems" or path == KEYPOINTS]
STUDIES = [path for path in found() if path.parent.name == "studies"]
ENCODERS = [path for path in found() if path.parent.name == "frame_features"]
TRAININGS = [path for path in found() if path not in SYSTEMS + STUDIES + ENCODERS]


def test_all_are_found():
    """Full size and quick: whoever adds a config counts it here."""
    quick = CONFIGS / "quick"
    counts = {}
    for path in found():
        size = "quick" if quick in path.parents else "full"
        counts.setdefault(path.parent.name, {"full": 0, "quick": 0})[size] += 1
    assert counts == {
        "person_detection": {"full": 6, "quick": 5},
        "pose_estimation": {"full": 2, "quick": 1},
        "part_detection": {"full": 3, "quick": 3},
        "part_parsing": {"full": 7, "quick": 7},
        "state_recognition": {"full": 6, "quick": 5},
        "action_recognition": {"full": 20, "quick": 18},
        "feature_fusion": {"full": 8, "quick": 8},
        "frame_features": {"full": 5, "quick": 1},
        "temporal_parsing": {"full": 12, "quick": 11},
        "systems": {"full": 34, "quick": 34},
        "studies": {"full": 12, "quick": 13},
    }


@pytest.fixture(scope="module", autouse=True)
def no_random_weights():
    """Full-size networks are built and not run, so that drawing hundreds of millions of numbers is left out."""
    names = [name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")]
    kept = {name: getattr(torch.nn.init, name) for name in names}
    for name in names:
        setattr(torch.nn.init, name, lambda tensor, *args, **kwargs: tensor)
    yield
    for name, function in kept.items():
        setattr(torch.nn.init, name, function)
    built.cache_clear()


@lru_cache(maxsize=3)
def built(path: str) -> network.TrainedNetwork:
    """As ``load_network`` gives it, without weights."""
    init_default_scope("tpsparse")
    cfg = load_config(path, taxonomy=NAMES, label_table=LABELS)
    model = MODELS.build(network._without_pretraining(cfg.model))
    return network.TrainedNetwork(cfg, model, Compose(cfg.test_pipeline))


def all_strings(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        return [text for value in node for text in all_strings(value)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("path", SYSTEMS + ENCODERS + TRAININGS, ids=label)
def test_words_are_filled_in(path):
    cfg = load_config(path, taxonomy=NAMES, options={"parses_dir": "parses"}, label_table=LABELS)
    assert not [text for text in all_strings(cfg.to_dict()) if text.startswith("@")]
    assert cfg.default_scope == "tpsparse"
    assert (apis.is_system(cfg), apis.is_encoder(cfg)) == (path in SYSTEMS, path in ENCODERS)


@pytest.mark.parametrize("path", found(), ids=label)
def test_opens_with_how_to_run_it(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    commands = re.findall(r"^ {4}(?:python|bash) (tools/\S+) (\S+)", text, flags=re.MULTILINE)
    configs = [argument for _, argument in commands if argument.startswith("configs/")]
    assert configs
    for file in configs + [script for script, _ in commands]:
        assert (REPOSITORY / file).is_file(), file
    assert re.search(r"\bData\b[^.:]*: ", text) or "reads the records" in text


def fits_alone(path: Path) -> bool:
    """Whether a config's method learns without gradients."""
    return Config.fromfile(path, lazy_import=False).train_cfg.type == "FitLoop"


@pytest.mark.parametrize("path", TRAININGS, ids=label)
def test_training_configs_build(path):
    trained = built(str(path))
    assert fits_alone(path) or sum(weight.numel() for weight in trained.model.parameters()) > 1000
    assert callable(trained.model.loss) and trained.config.train_dataloader.sampler.type == "SeededSampler"
    if fits_alone(path):
        # mmengine takes an empty dict for no optimizer, as it must be where nothing has a gradient.
        assert not list(trained.model.parameters()) and trained.config.optim_wrapper == {}
    else:
        wrapper = build_optim_wrapper(trained.model, trained.config.optim_wrapper)
        listed = [weight for group in wrapper.optimizer.param_groups for weight in group["params"]]
        assert {id(weight) for weight in listed} >= {id(w) for w in trained.model.parameters() if w.requires_grad}
    if isinstance(trained.model, TemporalParser):
        hooks = [hook.type for hook in trained.config.custom_hooks]
        assert (type(trained.model).fit is not TemporalParser.fit) == (fits_alone(path) or "FitHook" in hooks)
    Evaluator(trained.config.test_evaluator)


@pytest.fixture(scope="module")
def parses(tiny_root, tmp_path_factory):
    return tiny.save_records(tiny_root, tmp_path_factory.mktemp("parses"))


@pytest.fixture(scope="module")
def instances_root(tmp_path_factory):
    """Action instances with features, videos, and the boundaries that a parser has found in ``boundaries``."""
    return tiny_tapos.write_cut_instances(tmp_path_factory.mktemp("instances") / "data")


@pytest.fixture(scope="module")
def found_in_videos(tiny_root, tmp_path_factory):
    """Features of the frames of the drawn videos in ``features``, and what a parser has found in ``boundaries``."""
    folder = tmp_path_factory.mktemp("videos")
    for split in ("train", "test"):
        found = Boundaries("half")
        for path in tiny_root.glob(f"{split}_videos/*/*.mp4"):
            save_features(folder / "features" / f"{path.stem}.safetensors", np.ones((tiny.NUM_FRAMES, 8)), {})
            found.add(path.stem, tiny.NUM_FRAMES, np.array([tiny.NUM_FRAMES // 2]))
        found.save(folder / "boundaries" / f"{split}.json")
    return folder


@pytest.fixture
def root_of(tiny_root, instances_root):
    """The data set for a config: of instances if its own is TAPOS or like it."""

    def choose(path: Path) -> Path:
        return instances_root if "tapos" in Config.fromfile(path, lazy_import=False).data_root else tiny_root

    return choose


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("path", TRAININGS, ids=label)
def test_samples_go_through_the_pipeline(path, split, root_of, tiny_root, found_in_videos, parses):
    init_default_scope("tpsparse")
    root = root_of(path)
    segments = (found_in_videos if root == tiny_root else root) / "boundaries"
    options = {
        "data_root": str(root),
        "parses_dir": str(parses),
        "segments": str(segments),
        "test_root": str(tiny_root),
    }
    cfg = load_config(path, options=options)
    dataset = cfg[f"{split}_dataloader"].dataset
    if dataset.type == "TPSPoseDataset":
        dataset.keypoints = str(parses / split)
    if dataset.type == "TAPOSFeatureDataset":
        dataset.features = str(root / "features" / "tiny")
    if dataset.type == "TPSFrameFeatureDataset":
        dataset.features = str(found_in_videos / "features")
    for step in dataset.pipeline:
        if step.type == "DecodeFlow":
            step.compute = True  # the drawn data set has no extracted flow
    data = DATASETS.build(dataset)
    assert set(data[(0, 0)]) == {"inputs", "data_samples"}
    assert "segmentation" not in {problem.skipped for problem in data.problems}


@lru_cache
def features_of_encoders() -> dict[tuple[bool, str], int]:
    """Whether it is of quick size, and the name of a set of features, to its channels: those of the backbone's maps."""
    init_default_scope("tpsparse")
    channels = {}
    for path in ENCODERS:
        cfg = load_config(path, taxonomy=NAMES)
        backbone = MODELS.build(network._without_pretraining(cfg.model.backbone))
        with torch.device("meta"):
            maps = backbone.to("meta")(torch.empty(1, backbone.in_channels, 64, 64))
        channels[CONFIGS / "quick" in path.parents, Path(cfg.model.save_dir).name] = maps.shape[1]
    return channels


def test_channels_of_features():
    full = {"bn-inception_imagenet": 1024, "bn-inception_tsn": 1024, "bn-inception_tsn-flow": 1024}
    full |= {"resnet50_imagenet": 2048}
    quick = {"bn-inception-x4_tsn": 256}
    assert features_of_encoders() == {(False, name): size for name, size in full.items()} | {
        (True, name): size for name, size in quick.items()
    }


@pytest.mark.parametrize("path", [path for path in TRAININGS if path.parent.name == "temporal_parsing"], ids=label)
def test_parsers_take_features_that_an_encoder_of_their_size_writes(path):
    cfg = load_config(path, taxonomy=NAMES)
    features = {Path(cfg[f"{split}_dataloader"].dataset.features).name for split in ("train", "test")}
    [channels] = {features_of_encoders()[CONFIGS / "quick" in path.parents, name] for name in features}
    assert cfg.model.get("channels", channels) == channels


@pytest.mark.parametrize("path", ENCODERS, ids=label)
def test_encoders_write_features(path, root_of, tmp_path):
    """With weights of nothing but zeros, and so are the features."""
    init_default_scope("tpsparse")
    cfg = load_config(path, options={"data_root": str(root_of(path))})
    backbone = MODELS.build(network._without_pretraining(cfg.model.backbone))
    torch.save({name: torch.zeros_like(value) for name, value in backbone.state_dict().items()}, tmp_path / "zeros.pth")
    channels = features_of_encoders()[CONFIGS / "quick" in path.parents, Path(cfg.model.save_dir).name]
    cfg.model.update(checkpoint=str(tmp_path / "zeros.pth"), save_dir=str(tmp_path / "features"))
    model = MODELS.build(cfg.model)
    item = DATASETS.build(cfg.test_dataloader.dataset)[0]
    [encoded] = model.test_step({key: [value] for key, value in item.items()})
    assert encoded.error is None and not encoded.found
    features = load_file(model.file(encoded.key))["features"]
    assert len(features) > 1 and features.shape[1] == channels and not features.any()
    Evaluator(cfg.test_evaluator)


@pytest.mark.parametrize("path", SYSTEMS, ids=label)
def test_systems_build(path, monkeypatch, tiny_root):
    for module in (persons, pose, frame_parts, parts, part_states, segments, actions):
        monkeypatch.setattr(module, "load_network", lambda config, checkpoint, taxonomy, *options: built(config))
    cfg = load_config(path, taxonomy=NAMES, options={"data_root": str(tiny_root)})
    drawn = Taxonomy.from_root(tiny_root)
    row = []
    for stage in cfg.model.stages:
        names = drawn if stage.type in ("MostFrequentStates", "ReadAnnotation") else NAMES
        row.append(build_stage(stage, names))
    base.check_row(row)
    given = {field for stage in row for field in stage.gives}
    asks = {
        "KineticsTPSMetric": {"boxes", "part_boxes", "action"},
        "ParsedPersonAP": {"boxes"},
        "ParsedStateAccuracy": {"part_states"},
        "ParsedStateMAP": {"state_scores"},
        "ParseCount": set(),  # of a run that is there for its records
    }
    asked = {field for metric in evaluators(cfg) for field in asks[metric.type]}
    assert asked <= given and ("action" not in asked or given & {"state_scores", "part_states"})


@lru_cache(maxsize=1)
def records_of_fusions() -> dict[tuple[Path, str], set[Path]]:
    """Folder and first word of a fusion config to where the systems that have it as a stage write their records."""
    folders: dict[tuple[Path, str], set[Path]] = {}
    for system in SYSTEMS:
        cfg = load_config(system, taxonomy=NAMES)
        for config in [Path(stage.config).resolve() for stage in cfg.model.stages if "config" in stage]:
            if config.parent.name == "feature_fusion":
                key = config.parent, config.stem.partition("_")[0]
                folders.setdefault(key, set()).add(Path(cfg.work_dir) / "parses")
    return folders


@pytest.mark.parametrize("path", [path for path in TRAININGS if path.parent.name == "feature_fusion"], ids=label)
def test_fusions_read_what_a_system_of_theirs_writes(path):
    """By itself a fusion learns from the records of a system of its size; an ablation's from those of its parent."""
    parses = Path(load_config(path, taxonomy=NAMES).parses_dir)
    assert parses in records_of_fusions()[path.parent, path.stem.partition("_")[0]]


@pytest.mark.parametrize("path", SYSTEMS + ENCODERS + TRAININGS, ids=label)
def test_named_configs_are_there(path):
    """Stages' networks and a floor; who trains an encoder's weights, and who finds the sub-actions for a recognizer."""
    cfg = load_config(path, taxonomy=NAMES, label_table=LABELS)
    named = [stage.config for stage in cfg.model.get("stages", []) if "config" in stage]
    named += [cfg[name] for name in ("floor", "weights_from", "segments_from") if name in cfg]
    assert all(Path(config).resolve() in TRAININGS + SYSTEMS for config in named)
    quick = CONFIGS / "quick"
    assert all((quick in Path(config).resolve().parents) == (quick in path.parents) for config in named)
