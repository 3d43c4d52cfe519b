"""A table of temporal parsing for real: fitted and trained parsers of a tiny set, over two seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_tapos import CHANNELS, write_instances

from tpsparse.errors import InputError
from tpsparse.reproduction import Study

QUICK = Path(__file__).resolve().parents[2] / "configs" / "quick"
FEATURES = "bn-inception-x4_tsn"


@pytest.fixture
def root(tmp_path):
    root = write_instances(tmp_path / "data", features=FEATURES)
    encoded_by(root, "one encoder")
    return root


def encoded_by(root: Path, stamp: str) -> None:
    (root / "features" / FEATURES / "made_by.json").write_text(json.dumps(dict(stamp=stamp)))


@pytest.fixture
def study(root, tmp_path):
    parsers = tmp_path / "configs" / "temporal_parsing"
    parsers.mkdir(parents=True)
    for name in ("floor_none", "floor_even", "tcn"):
        (parsers / f"{name}.py").write_text(f"_base_ = '{QUICK}/temporal_parsing/{name}_synthetic.py'\n")
    with (parsers / "tcn.py").open("a") as file:
        file.write(f"model = dict(channels={CHANNELS})\ntrain_cfg = dict(max_epochs=1)\n")
    rows = {path.stem: dict(name=path.stem, config=f"temporal_parsing/{path.name}") for path in parsers.iterdir()}
    values = dict(
        title="tiny",
        configs=str(parsers.parent),
        rows=rows,
        columns={"boundary/f1_rel": "F1", "boundary_loose/f1_abs": "F1 by equation 7"},
    )
    config = tmp_path / "study.py"
    lines = [f"_base_ = '{QUICK}/_base_/tapos_study.py'", *(f"{name} = {value!r}" for name, value in values.items())]
    config.write_text("\n".join(lines))

    def make() -> Study:
        options = dict(data_root=str(root))
        return Study(config, work_dir=str(tmp_path / "work"), options=options, seeds=(0, 1), jobs=1)

    return make


def test_fitted_and_trained_rows_in_one_table(study, root, tmp_path):
    made = study()
    assert len(made.commands(1)) == 2 * 3  # seeds, parsers
    table = made.run()
    found = {name: row["values"] for name, row in table["rows"].items()}
    assert found["floor_none"]["boundary/f1_rel"] == [0, 0]
    assert found["floor_even"]["boundary/f1_rel"][0] == found["floor_even"]["boundary/f1_rel"][1] > 0
    annotation = json.loads((root / "tapos_annotation.json").read_text())
    every = [each for instances in annotation.values() for each in instances.values()]
    counts = {
        subset: [len(each["substages"]) - 2 for each in every if each["subset"] == subset]
        for subset in ("train", "val")
    }
    assert found["tcn"]["boundary/truths"] == [sum(counts["val"])] * 2
    each = round(sum(counts["train"]) / len(counts["train"]))
    assert found["floor_even"]["boundary/predictions"] == [each * len(counts["val"])] * 2
    again = study()
    assert again.commands(1) == [] and again.run()["rows"] == table["rows"]


def test_other_features_are_other_data(study, root):
    study().run()
    encoded_by(root, "another encoder")
    with pytest.raises(InputError, match="was trained with another config or data"):
        study().run()
