"""Sources alone, and weights fitted on held-out videos, from records made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tpsparse.datasets.index import open_index
from tpsparse.datasets.splits import read_split, write_splits
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.reproduction import Reproduction, Workplace
from tpsparse.reproduction.reweighing import Reweighing
from tpsparse.structures import VideoParse
from tpsparse.taxonomy import Taxonomy

SOURCES = ("frame", "instance", "timesformer", "swin", "fusion")


def save_records(root, split, folder):
    """``instance`` is always right and sure, ``swin`` always wrong, the others know nothing."""
    taxonomy = Taxonomy.from_root(root)
    index = open_index(root, split, taxonomy)
    actions = len(taxonomy.actions)
    for row, entry in enumerate(index.videos):
        true = int(index.video_actions[row])
        scores = {source: np.full(actions, 1 / actions, dtype=np.float32) for source in SOURCES}
        scores["instance"] = np.eye(actions, dtype=np.float32)[true]
        scores["swin"] = np.eye(actions, dtype=np.float32)[(true + 1) % actions]
        scores["action"] = scores["swin"]
        VideoParse(entry.name, action_scores=scores).save(folder / f"{entry.name}.safetensors")


@pytest.fixture
def system(tiny_copy, tmp_path, drawn):
    write_splits(tiny_copy, names=["dap"])
    options = dict(data_root=str(tiny_copy), train_split="dap/train")
    cfg = load_config(drawn.QUICK_SYSTEM, options=options, work_dir=tmp_path / "work")
    return Reproduction(drawn.QUICK_SYSTEM, place=Workplace(cfg, options))


@pytest.fixture
def fitted(system):
    return Reweighing(system, "fitted", fit_split="dap/val")


def test_one_source_alone(system, tiny_copy):
    save_records(tiny_copy, "test", system.out_dir / "parses" / "test")
    results = {name: Reweighing(system, name, source=name)._weigh() for name in ("instance", "swin")}
    assert [result["metrics"]["tps/action_top1"] for result in results.values()] == [1, 0]
    assert results["swin"]["weights"] == {"swin": 1}
    assert (system.out_dir / "reweighed" / "swin" / "report.json").is_file()


def test_the_source_that_is_right_gets_all_weight(fitted, tiny_copy):
    folder = fitted.system.out_dir / "parses" / "test"
    save_records(tiny_copy, "test", folder)
    save_records(tiny_copy, "dap/val", fitted.out_dir / "held_out")
    result = fitted._weigh()
    assert tuple(result["weights"]) == SOURCES
    assert result["weights"]["instance"] == pytest.approx(1, abs=1e-5) and sum(result["weights"].values()) == 1
    assert result["metrics"]["tps/action_top1"] == 1  # the system's own action, in the records, is always wrong
    assert set(result["report"]["action_correct"].values()) == {True} and result["skipped"] == 0
    assert (fitted.out_dir / "submission.zip").is_file() and (fitted.out_dir / "ensemble.json").is_file()


def test_the_tested_videos_may_not_be_fitted_on(fitted, tiny_copy):
    fitted.split = "test"
    for folder in (fitted.system.out_dir / "parses" / "test", fitted.out_dir / "held_out"):
        save_records(tiny_copy, "test", folder)
    with pytest.raises(InputError, match="which are also reported: fit on a split of other videos"):
        fitted._weigh()


def test_held_out_videos_are_parsed_into_a_folder_of_their_own(fitted, monkeypatch):
    from tpsparse import apis

    asked = []
    monkeypatch.setattr(apis, "test", lambda cfg: asked.append(cfg) or ({"failed": 1}, SimpleNamespace()))
    assert fitted._parse_held_out()["skipped"] == 1
    [cfg] = asked
    assert cfg.test_dataloader.dataset.split == "dap/val" and cfg.test_evaluator.type == "ParseCount"
    assert cfg.model.save_dir == str(fitted.out_dir / "held_out") != fitted.system.cfg.model.save_dir


def test_videos_that_were_trained_on_may_not_be_fitted_on(system, tiny_copy):
    row = Reweighing(system, "fitted", fit_split="dap/train")
    save_records(tiny_copy, "test", system.out_dir / "parses" / "test")
    save_records(tiny_copy, "dap/train", row.out_dir / "held_out")
    with pytest.raises(InputError, match="which networks are trained on: fit on a split of other videos"):
        row._weigh()


def test_weights_follow_from_the_held_out_videos(fitted, tiny_copy):
    before = fitted.identity
    video = (read_split(tiny_copy, "dap/val") or [])[0]
    folder = (tiny_copy / "train_annotations" / video).with_suffix("")
    (folder / "img_00001.json").write_text('{"humans": []}')
    assert fitted.identity != before
