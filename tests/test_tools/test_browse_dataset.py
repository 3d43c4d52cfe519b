"""tools/browse_dataset.py on every quick config."""

from __future__ import annotations

import pytest
import tiny
import tiny_tapos

NOT_TRAINED = ("_base_", "systems", "studies", "frame_features")
OF_FEATURES = ("feature_fusion", "temporal_parsing")
TRAINED = sorted(path for path in tiny.QUICK.glob("*/*.py") if path.parent.name not in NOT_TRAINED)
# Features and flow are no pictures.
PICTURES = [path for path in TRAINED if path.parent.name not in OF_FEATURES and "flow" not in path.stem]


@pytest.fixture(scope="module")
def parses(tiny_root, tmp_path_factory):
    return tiny.save_records(tiny_root, tmp_path_factory.mktemp("parses"))


@pytest.fixture(scope="module")
def instances_root(tmp_path_factory):
    return tiny_tapos.write_cut_instances(tmp_path_factory.mktemp("instances") / "data")


def test_configs_were_found():
    assert len(TRAINED) >= 5 and len(PICTURES) < len(TRAINED)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("config", PICTURES, ids=lambda path: path.stem)
def test_every_training_config_is_drawn(run_tool, tiny_root, instances_root, parses, tmp_path, capsys, config, split):
    num = 2 if split == "train" or not config.stem.startswith("tapos") else 1
    arguments = (config, "--out", tmp_path / "out", "--num", num, "--split", split)
    options = [f"data_root={tiny_root}", f"parses_dir={parses}"]
    if config.stem.startswith("tapos"):
        options = [f"data_root={instances_root}", f"segments={instances_root / 'boundaries'}"]
    if config.parent.name == "pose_estimation":
        options.append(f"{split}_dataloader.dataset.keypoints={parses / split}")
    assert run_tool("browse_dataset", *arguments, "--cfg-options", *options) == 0
    pictures = ["001.jpg", "002.jpg"][:num]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*pictures, "index.jpg"]
    assert f"{num} of " in capsys.readouterr().out


def test_parts_and_objects_are_told(tiny_root, monkeypatch):
    """The data set's classes reach the picture."""
    from tpsparse.analysis import browsing
    from tpsparse.engine import load_config

    [config] = [path for path in TRAINED if path.stem.startswith("scu_faster-rcnn")]
    browser = browsing.Browser(load_config(config, options=dict(data_root=str(tiny_root))))
    assert browser.classes == (*browser.taxonomy.parts, *browser.taxonomy.objects) and len(browser.taxonomy.objects)


@pytest.mark.parametrize("config", [path for path in TRAINED if "flow" in path.stem], ids=lambda path: path.stem)
def test_flow_is_no_picture(run_tool, tiny_root, tmp_path, capsys, config):
    arguments = (config, "--out", tmp_path / "out", "--num", 2, "--split", "test")
    assert run_tool("browse_dataset", *arguments, "--cfg-options", f"data_root={tiny_root}") == 2
    assert "not pictures: there is nothing to draw" in capsys.readouterr().err


@pytest.mark.parametrize(
    "config", [path for path in TRAINED if path.parent.name in OF_FEATURES], ids=lambda path: path.stem
)
def test_features_are_no_pictures(run_tool, tiny_root, instances_root, tmp_path, capsys, config):
    root = instances_root if config.parent.name == "temporal_parsing" else tiny_root
    arguments = (config, "--out", tmp_path / "out", "--cfg-options", f"data_root={root}")
    assert run_tool("browse_dataset", *arguments) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert str(config) in line and "browse the configs of the networks that give them" in line
    assert not (tmp_path / "out").exists()


def test_bad_items_are_skipped_and_told(run_tool, tiny_copy, tmp_path, capsys, spoil, find_leftovers):
    told = spoil(tiny_copy)
    arguments = (tiny.quick_config("part_parsing"), "--out", tmp_path / "out", "--num", 4)
    assert run_tool("browse_dataset", *arguments, "--cfg-options", f"data_root={tiny_copy}") == 3
    output = capsys.readouterr().err
    assert all(file in output for file in told if "_test_" not in file)
    assert len(list((tmp_path / "out").glob("0*.jpg"))) == 4 and find_leftovers(tmp_path) == []


def test_full_disk(run_tool, tiny_root, tmp_path, capsys, find_leftovers, monkeypatch, little_room):
    """No file may grow beyond 2,000 bytes once samples are drawn (configs are read by way of temporary files)."""
    from tpsparse.analysis.browsing import Browser

    arguments = (tiny.quick_config("part_parsing"), "--out", tmp_path / "out", "--num", 1)
    arguments += ("--cfg-options", f"data_root={tiny_root}")
    assert run_tool("browse_dataset", *arguments) == 0
    before = (tmp_path / "out" / "001.jpg").read_bytes()
    write = Browser.write

    def write_with_little_room(self, *args):
        with little_room():
            return write(self, *args)

    monkeypatch.setattr(Browser, "write", write_with_little_room)
    assert run_tool("browse_dataset", *arguments) == 2
    told = f"error: {tmp_path / 'out' / '001.jpg'} cannot be written (File too large): make room there"
    assert told in capsys.readouterr().err
    assert (tmp_path / "out" / "001.jpg").read_bytes() == before and find_leftovers(tmp_path) == []


def test_seed(run_tool, tiny_root, tmp_path):
    config = tiny.quick_config("person_detection")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        arguments = (config, "--out", tmp_path / name, "--num", 2, "--seed", seed)
        assert run_tool("browse_dataset", *arguments, "--cfg-options", f"data_root={tiny_root}") == 0
    first, second, third = ((tmp_path / name / "001.jpg").read_bytes() for name in "abc")
    assert first == second != third


@pytest.mark.parametrize("option", [("--num", "0"), ("--split", "val"), ("--seed", "-1"), ("--out", __file__)])
def test_odd_arguments(run_tool, tmp_path, capsys, option):
    with pytest.raises(SystemExit) as ended:
        run_tool("browse_dataset", tiny.quick_config("part_parsing"), "--out", tmp_path / "out", *option)
    assert ended.value.code == 2 and option[1] in capsys.readouterr().err


def test_missing_config(run_tool, tmp_path, capsys):
    assert run_tool("browse_dataset", tmp_path / "none.py", "--out", tmp_path / "out") == 2
    assert "none.py is missing" in capsys.readouterr().err
