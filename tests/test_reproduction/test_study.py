"""Studies: with stand-ins for trainings and tests, and once for real on the drawn data set."""

from __future__ import annotations

import json
import shlex
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_tapos import write_instances

from tpsparse import apis
from tpsparse.datasets.splits import write_splits
from tpsparse.errors import InputError
from tpsparse.reproduction import Study
from tpsparse.reproduction.reweighing import Reweighing
from tpsparse.reproduction.study import _compare

REPOSITORY = Path(__file__).resolve().parents[2]
STUDIES = sorted(path for path in (REPOSITORY / "configs").rglob("studies/*.py") if "_base_" not in path.parts)
OTHERS_BY_SIZE = [(name, quick) for name in ("runner_up", "scu") for quick in (False, True)]
OF_NO_REPORT = ("pcf_footage", "pcf_footage_pose", "scu_ablations")
ONE_ROW = ("pcf_footage_pose",)
POSE = "pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96"
# Footage at quick size alone.
PCF_BY_SIZE = {("pcf", False): 3, ("pcf", True): 4, ("pcf_footage", True): 1}
TAPOS_BY_SIZE = {("tapos", False): 3, ("tapos", True): 3}
SWIN = "dap_swin-24_1xb8_synthetic-8x2x1-rgb"
QUICK_STUDIES = [path for path in STUDIES if "quick" in path.parts]
# Video to PSC and whether the action is right, of the systems by name; everything is right in the last.
SCORED = {
    "dap_frame": {"a": (1.0, True), "b": (1.0, False)},
    "dap_instance": {"a": (0.5, True), "b": (0.5, True)},
}


@pytest.fixture
def stand_ins(monkeypatch):
    """Trainings and tests that note what they were asked for; scores are those of SCORED, the same for every seed."""
    calls: list[tuple[str, str]] = []

    def train(cfg, *, resume):
        calls.append(("train", f"{Path(cfg.filename).stem} {cfg.randomness.seed}"))
        return SimpleNamespace(train_dataloader=SimpleNamespace(dataset=SimpleNamespace(problems=[])))

    def test(cfg, **kwargs):
        name, kind = Path(cfg.filename).stem, cfg.test_evaluator.type
        calls.append((kind, f"{name} {cfg.randomness.seed}"))
        metrics = {"ParseCount": {"failed": 0}, "PersonAPMetric": {"person/AP": 0.25 + cfg.randomness.seed}}.get(
            kind, {}
        )
        if kind == "KineticsTPSMetric":
            videos = SCORED.get(name, {"a": (1.0, True), "b": (1.0, True)})
            report = dict(
                psc={video: psc for video, (psc, _) in videos.items()},
                action_correct={video: right for video, (_, right) in videos.items()},
            )
            out = Path(cfg.test_evaluator.out_dir)
            out.mkdir(parents=True, exist_ok=True)
            (out / "report.json").write_text(json.dumps(report))
            metrics = {"tps/score": 0.5, "tps/action_top1": 0.75}
        return metrics, SimpleNamespace(test_dataloader=SimpleNamespace(dataset=SimpleNamespace(problems=[1])))

    monkeypatch.setattr(apis, "train", train)
    monkeypatch.setattr(apis, "test", test)
    fit = dict(
        metrics={"tps/score": 0.75}, report=dict(psc={"a": 1.0, "b": 1.0}, action_correct={"a": True, "b": True})
    )
    monkeypatch.setattr(Reweighing, "_weigh", lambda row: calls.append(("weigh", row.name)) or fit)
    return calls


@pytest.fixture
def study(tiny_copy, tmp_path):
    write_splits(tiny_copy, names=["dap"])

    def make(name="dap_table5", seeds=(0, 1), **options) -> Study:
        data = dict(data_root=str(tiny_copy), train_split="train", test_split="test")
        config = REPOSITORY / "configs" / "quick" / "studies" / f"{name}.py"
        return Study(config, work_dir=str(tmp_path / "work"), options=data | options, seeds=seeds, jobs=1)

    return make


def test_studies_were_found():
    found = Counter((path.stem.rpartition("_")[0], path in QUICK_STUDIES) for path in STUDIES)
    assert found == {
        ("dap", False): 4,
        ("dap", True): 3,
        **dict.fromkeys(OTHERS_BY_SIZE, 1),
        **PCF_BY_SIZE,
        **TAPOS_BY_SIZE,
    }


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: str(path.relative_to(REPOSITORY / "configs")))
def test_every_study_names_configs_that_are_there(path, tiny_root, people_root, tmp_path):
    # Recognizers of part states are of six part groups.
    root = tiny_root if path.stem.startswith("dap") else people_root
    splits = ("train", "test")
    if path.stem.startswith("tapos"):
        root, splits = write_instances(tmp_path / "tapos"), ("train", "val")
    weights = tmp_path / "given.pth"
    weights.write_bytes(b"of a pose network")
    data = dict(zip(("data_root", "train_split", "test_split"), (str(root), *splits)))
    options = dict(data, given_weights={POSE: str(weights)})
    made = Study(path, work_dir=str(tmp_path), options=options)
    [rows] = made.rows.values()
    of_a_report = path.stem not in OF_NO_REPORT
    least = 3 if of_a_report else 1 if path.stem in ONE_ROW else 2
    assert list(rows) == list(made.cfg.rows) and len(rows) >= least
    metrics = {metric for row in made.cfg.rows.values() for metric in row.get("paper", {})}
    assert bool(metrics) == of_a_report and metrics <= set(
        made.cfg.columns
    )  # every number of the report has a column beside it
    quick = "quick" in path.parts
    configs = [network.config for row in rows.values() for network in getattr(row, "networks", [row])]
    assert all(("quick" in config.resolve().parts) == quick for config in configs)


def test_shared_networks_are_trained_once_a_seed(study, stand_ins):
    study().run()
    trained = [what for kind, what in stand_ins if kind == "train"]
    assert len(trained) == len(set(trained)) == 2 * 7  # four networks, three fusions
    tested = [what for kind, what in stand_ins if kind == "KineticsTPSMetric"]
    assert len(tested) == len(set(tested)) == 2 * 7
    weighed = ["gcp", "ap_rcnn", "fusion", "fitted", "row_fitted"]
    assert [what for kind, what in stand_ins if kind == "weigh"] == weighed * 2
    # What learns from nothing else is trained first, for all seeds.
    assert {what.split()[0].startswith("dap_mlp") for what in trained[:8]} == {False}


def test_table_and_comparisons(study, stand_ins, tmp_path):
    table = study().run()
    assert json.loads((tmp_path / "work" / "dap_table5.json").read_text()) == table
    values = table["rows"]["frame"]["values"]
    assert values["tps/score"] == [0.5, 0.5] and values["tps/action_top1"] == [0.75, 0.75]
    text = (tmp_path / "work" / "dap_table5.md").read_text()
    assert "| frame level | 73.0 | 75.0 ± 0.0 | 46.1 | 50.0 ± 0.0 | - |" in text


class TestComparing:
    """Two seeds, two videos: in the first system the second video's action is wrong, with seed 1 both are right."""

    RESULTS = {
        0: {
            "one": dict(videos={"tps/score": {"a": 0.9, "b": 0.0}, "tps/action_top1": {"a": 1.0, "b": 0.0}}),
            "two": dict(videos={"tps/score": {"a": 0.5, "b": 0.5}, "tps/action_top1": {"a": 1.0, "b": 1.0}}),
        },
        1: {
            "one": dict(videos={"tps/score": {"a": 0.9, "b": 0.7}, "tps/action_top1": {"a": 1.0, "b": 1.0}}),
            "two": dict(videos={"tps/score": {"a": 0.5, "b": 0.5}, "tps/action_top1": {"a": 1.0, "b": 1.0}}),
        },
    }

    def test_by_hand(self):
        found = _compare(self.RESULTS, "one", "two")["differences"]
        score, top1 = found["tps/score"], found["tps/action_top1"]
        # Means over seeds: a 0.9, b 0.35 against 0.5 and 0.5, so +0.4 and -0.15, which are the ends of the interval.
        assert score["seeds"] == pytest.approx([-0.05, 0.3]) and score["value"] == pytest.approx(0.125)
        assert (score["low"], score["high"]) == (pytest.approx(-0.15), pytest.approx(0.4))
        assert top1["seeds"] == pytest.approx([-0.5, 0.0]) and top1["value"] == pytest.approx(-0.25)

    def test_without_annotations_by_top1_alone(self):
        results = {
            seed: {
                row: dict(videos={"tps/action_top1": each["videos"]["tps/action_top1"]}) for row, each in rows.items()
            }
            for seed, rows in self.RESULTS.items()
        }
        assert list(_compare(results, "one", "two")["differences"]) == ["tps/action_top1"]

    def test_networks_are_not_compared(self):
        assert _compare({0: {"one": dict(videos={}), "two": dict(videos={})}}, "one", "two")["differences"] == {}


def test_rows_of_networks(study, stand_ins):
    table = study("dap_table3").run()
    assert table["rows"]["plain"]["values"]["person/AP"] == [0.25, 1.25]
    assert {kind for kind, _ in stand_ins} == {"train", "PersonAPMetric"}


def test_nothing_is_done_twice(study, stand_ins):
    first = study().run()
    stand_ins.clear()
    assert study().run() == first and stand_ins == []
    study(seeds=(0, 1, 2)).run()
    assert {what.split()[-1] for kind, what in stand_ins if kind != "weigh"} == {"2"}


def test_skipped_items_are_counted(study, stand_ins):
    made = study(seeds=(0,))
    made.run()
    assert made.skipped == sum(kind not in ("train", "ParseCount", "weigh") for kind, _ in stand_ins) > 0


def test_commands_for_a_cluster(study, stand_ins, tmp_path):
    made = study("dap_table4")
    lines = made.commands(8)
    assert len(lines) == len(set(lines)) == 2 * 5  # a detector and four part networks, two seeds
    words = shlex.split(lines[0])
    assert (
        words[:2] == ["bash", "tools/dist_train.sh"] and words[3] == "8" and words[6:9] == ["--seed", "0", "--resume"]
    )
    assert Path(words[2]).is_file() and Path(words[5]) == tmp_path / "work" / "seed0" / Path(words[2]).stem
    assert "train_split=train" in words and not any("randomness" in word for word in words)
    made.run()
    assert made.commands(8) == lines  # the stand-ins have left no checkpoints


def test_command_of_a_training_that_is_done_is_left_out(study, tmp_path):
    made = study("dap_table3", seeds=(0,))
    lines = made.commands(8)
    folder = Path(shlex.split(lines[0])[5])
    folder.mkdir(parents=True)
    for epoch, left in ((2, 3), (3, 2)):  # of three
        (folder / "last_checkpoint").write_text(f"/elsewhere/epoch_{epoch}.pth")
        assert len(made.commands(8)) == left


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rows": {}}, "has no rows or columns: give a study config"),
        ({"comparisons": [["focal", "elsewhere"]]}, "compares elsewhere, which is none of its rows: correct"),
    ],
)
def test_config_that_is_no_study(study, change, told, tmp_path, tiny_root):
    [(name, value)] = change.items()
    change = f"{name} = dict(_delete_=True)" if value == {} else f"{name} = {value!r}"
    path = copied_study(tmp_path, change)
    with pytest.raises(InputError, match=told):
        Study(path, work_dir=str(tmp_path), options=dict(data_root=str(tiny_root)))


def test_fewer_frames_for_the_networks_of_a_task(study):
    made = study("dap_table4", seeds=(0,))
    [rows] = made.rows.values()
    networks = {network.name: network for row in rows.values() for network in row.networks}
    steps = {name: network.load().train_dataloader.dataset.get("frame_step") for name, network in networks.items()}
    assert set(steps.values()) == {2} and len(steps) == 5
    assert all("train_dataloader.dataset.frame_step=2" in line for line in made.commands(2))
    [place] = study("dap_table5", seeds=(0,)).places.values()
    assert "train_dataloader.dataset.frame_step" not in place.network_options(Path("action_recognition/x.py"))


def test_given_weights_are_used_and_not_trained(tmp_path, people_root, stand_ins):
    config = REPOSITORY / "configs" / "quick" / "studies" / "pcf_table2.py"
    data = dict(data_root=str(people_root), train_split="train", test_split="test")
    with pytest.raises(InputError, match=r"absent\.pth is missing: train it with .*pose_estimation"):
        Study(config, work_dir=str(tmp_path), options=dict(data, given_weights={POSE: str(tmp_path / "absent.pth")}))
    weights = tmp_path / "pose.pth"
    weights.write_bytes(b"weights")
    made = Study(config, work_dir=str(tmp_path), options=dict(data, given_weights={POSE: str(weights)}), seeds=(0, 1))
    for rows in made.rows.values():
        pose = [stage for stage in rows["parts_pose"].cfg.model.stages if stage.type == "EstimatePose"]
        assert [stage.checkpoint for stage in pose] == [str(weights)]
        assert POSE not in [network.name for row in rows.values() for network in row.networks]


def test_networks_with_options_and_what_they_start_from(tmp_path, tiny_root, stand_ins):
    """One config, two part groups: a network each, and before them the one that both start from."""
    text = (REPOSITORY / "configs" / "quick" / "action_recognition" / f"{SWIN}.py").read_text()
    base = str(REPOSITORY / "configs" / "quick" / "_base_")
    (tmp_path / "base.py").write_text(text.replace('"../_base_/', f'"{base}/'))
    start = '_base_ = "base.py"\nstart_from = "{{ fileDirname }}/base.py"\ngroup = "head"\n'
    (tmp_path / "states.py").write_text(start)
    rows = {group: dict(name=group, config="states.py", train_options=dict(group=group)) for group in ("arm", "head")}
    rows["plain"] = dict(name="plain", config="states.py")
    values = dict(data_root=str(tiny_root), train_split="train", test_split="test", work_dir=str(tmp_path / "work"))
    values |= dict(configs=str(tmp_path), rows=rows, columns={"x": "x"}, title="t")
    (tmp_path / "table.py").write_text("\n".join(f"{name} = {value!r}" for name, value in values.items()))
    made = Study(tmp_path / "table.py", seeds=(0, 1), jobs=1)
    lines = made.commands(4)
    assert len(lines) == 2 * 4  # seeds, networks
    assert [Path(shlex.split(line)[5]).name for line in lines[:4]] == ["base", "states-arm", "states-head", "states"]
    assert "group=arm" in lines[1] and "group=head" in lines[2] and "group" not in lines[0] + lines[3]
    made.run()
    trained = [what for kind, what in stand_ins if kind == "train"]
    assert trained[:2] == ["base 0", "base 1"] and len(trained) == 8
    steps = json.loads((tmp_path / "work" / "seed1" / "steps.json").read_text())
    assert {"train base", "train states-arm", "measure states-arm", "measure states-head"} <= set(steps)
    assert "measure base" not in steps  # it is no row
    arm, head, plain = made.rows[0].values()
    assert arm.load().group == "arm" and head.load().group == plain.load().group == "head"
    assert arm.identity != head.identity == plain.identity
    # Another network to start from, and be it by its content alone, gives another network.
    before = arm.identity
    (tmp_path / "base.py").write_text((tmp_path / "base.py").read_text() + "\nrandomness = dict(seed=0, x=1)\n")
    assert Study(tmp_path / "table.py", seeds=(0,)).rows[0]["arm"].identity != before


def copied_study(folder: Path, more: str) -> Path:
    """Table 4 at quick size with something changed, where it may lie anywhere."""
    path, configs = folder / "table.py", REPOSITORY / "configs"
    text = (configs / "quick" / "studies" / "dap_table4.py").read_text()
    for old, new in (
        ('"../../_base_/studies', f'"{configs}/_base_/studies'),
        ('"../_base_/study.py', f'"{configs}/quick/_base_/study.py'),
        ('"{{ fileDirname }}/.."', f'"{configs}/quick"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(f"{text}\n{more}\n")
    return path


def test_for_real(run_tool, tiny_root, tmp_path, capsys, find_leftovers):
    """Two rows, two seeds, two processes; a killed table is made again from what is there."""
    rows = 'rows = dict(_delete_=True, shared=dict(name="shared", config="systems/dap_shared-heatmaps.py"), '
    rows += 'focal=dict(name="focal", config="systems/dap_focal.py"))\ncomparisons = [["focal", "shared"]]'
    path = copied_study(tmp_path, rows)
    arguments = [path, "--work-dir", tmp_path / "work", "--seeds", 0, 1, "--jobs", 2, "--cfg-options"]
    arguments += [f"data_root={tiny_root}", "train_split=train", "train_cfg.max_epochs=1"]
    assert run_tool("study", *arguments) == 0
    printed = capsys.readouterr().out
    assert "| shared | " in printed and "focal against shared: score " in printed
    assert "| states right | shared | focal |" in printed and "| left_arm | " in printed
    table = json.loads((tmp_path / "work" / "table.json").read_text())
    assert all(len(values) == 2 for row in table["rows"].values() for values in row["values"].values())
    assert {"tps/score", "part/part_AP50", "part/state_top1", "person/AP50"} <= set(table["rows"]["focal"]["values"])
    seeds = sorted(path.name for path in (tmp_path / "work").iterdir() if path.is_dir())
    assert seeds == ["seed0", "seed1"] and find_leftovers(tmp_path) == []
    shutil.rmtree(tmp_path / "work" / "seed0" / "focal")
    (tmp_path / "work" / "table.json").unlink()
    assert run_tool("study", *arguments) == 0
    assert json.loads((tmp_path / "work" / "table.json").read_text()) == table
