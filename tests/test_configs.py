"""Every config is read and its model built; systems are built with their stages' networks."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
import tiny
import torch
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from tpsparse import apis
from tpsparse.engine import evaluators, load_config
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


SYSTEMS = [path for path in found() if path.parent.name == "systems"]
STUDIES = [path for path in found() if path.parent.name == "studies"]
TRAININGS = [path for path in found() if path not in SYSTEMS + STUDIES]


def test_all_are_found():
    """Full size and quick: whoever adds a config counts it here."""
    quick = CONFIGS / "quick"
    counts = {}
    for path in found():
        size = "quick" if quick in path.parents else "full"
        counts.setdefault(path.parent.name, {"full": 0, "quick": 0})[size] += 1
    assert counts == {
        "person_detection": {"full": 6, "quick": 5},
        "pose_estimation": {"full": 1, "quick": 1},
        "part_detection": {"full": 3, "quick": 3},
        "part_parsing": {"full": 7, "quick": 7},
        "state_recognition": {"full": 6, "quick": 5},
        "action_recognition": {"full": 11, "quick": 12},
        "feature_fusion": {"full": 8, "quick": 8},
        "systems": {"full": 34, "quick": 34},
        "studies": {"full": 9, "quick": 9},
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


@pytest.mark.parametrize("path", SYSTEMS + TRAININGS, ids=label)
def test_words_are_filled_in(path):
    cfg = load_config(path, taxonomy=NAMES, options={"parses_dir": "parses"}, label_table=LABELS)
    assert not [text for text in all_strings(cfg.to_dict()) if text.startswith("@")]
    assert cfg.default_scope == "tpsparse"
    assert apis.is_system(cfg) == (path in SYSTEMS)


@pytest.mark.parametrize("path", found(), ids=label)
def test_opens_with_how_to_run_it(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    commands = re.findall(r"^ {4}(python|bash) (tools/\S+) (\S+)", text, flags=re.MULTILINE)
    assert commands
    for _, script, config in commands:
        assert (REPOSITORY / script).is_file() and (REPOSITORY / config).is_file(), (script, config)
    assert "Data: " in text or "reads the records" in text


@pytest.mark.parametrize("path", TRAININGS, ids=label)
def test_training_configs_build(path):
    trained = built(str(path))
    assert sum(weight.numel() for weight in trained.model.parameters()) > 1000
    assert callable(trained.model.loss) and trained.config.train_dataloader.sampler.type == "SeededSampler"
    wrapper = build_optim_wrapper(trained.model, trained.config.optim_wrapper)
    listed = [weight for group in wrapper.optimizer.param_groups for weight in group["params"]]
    assert {id(weight) for weight in listed} >= {id(w) for w in trained.model.parameters() if w.requires_grad}
    Evaluator(trained.config.test_evaluator)


@pytest.fixture(scope="module")
def parses(tiny_root, tmp_path_factory):
    return tiny.save_records(tiny_root, tmp_path_factory.mktemp("parses"))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("path", TRAININGS, ids=label)
def test_samples_go_through_the_pipeline(path, split, tiny_root, tiny_taxonomy, parses):
    init_default_scope("tpsparse")
    options = {"data_root": str(tiny_root), "parses_dir": str(parses)}
    cfg = load_config(path, options=options, taxonomy=tiny_taxonomy)
    dataset = cfg[f"{split}_dataloader"].dataset
    if dataset.type == "TPSPoseDataset":
        dataset.keypoints = str(parses / split)
    for step in dataset.pipeline:
        if step.type == "DecodeFlow":
            step.compute = True  # the drawn data set has no extracted flow
    sample = DATASETS.build(dataset)[(0, 0)]
    assert set(sample) == {"inputs", "data_samples"}


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


@pytest.mark.parametrize("path", SYSTEMS, ids=label)
def test_systems_name_configs_that_are_there(path):
    cfg = load_config(path, taxonomy=NAMES)
    named = [stage.config for stage in cfg.model.stages if "config" in stage] + [cfg.get("floor", str(path))]
    assert all(Path(config).resolve() in TRAININGS + SYSTEMS for config in named)
    quick = CONFIGS / "quick"
    assert all((quick in Path(config).resolve().parents) == (quick in path.parents) for config in named)
