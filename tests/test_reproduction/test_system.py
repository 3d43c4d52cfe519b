"""A whole system from its config: once for real on a spoiled data set, and its order of steps with cheap stand-ins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from tpsparse import apis
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser
from tpsparse.reproduction import Reproduction, Study
from tpsparse.reproduction.system import _parse_each


def read(path: Path):
    return json.loads(path.read_text())


@pytest.fixture
def system(drawn, tiny_root, tmp_path):
    """A reproduction of the quick system in a folder of its own."""

    def make(work_dir=tmp_path / "work", root=tiny_root, **options) -> Reproduction:
        return Reproduction(
            drawn.QUICK_SYSTEM, work_dir=str(work_dir), options={"data_root": str(root), **options}, jobs=1
        )

    return make


class StandIns:
    """Trainings and tests that only note that they were asked for; ``fail_at`` interrupts one of them."""

    def __init__(self, monkeypatch):
        self.calls: list[str] = []
        self.configs: list = []
        self.fail_at = ""
        monkeypatch.setattr(apis, "train", self.train)
        monkeypatch.setattr(apis, "test", self.test)
        monkeypatch.setattr(Reproduction, "_draw", lambda reproduction: self.note("draw") or {})

    def note(self, name):
        if name == self.fail_at:
            raise KeyboardInterrupt
        self.calls.append(name)

    def train(self, cfg, *, resume):
        assert resume
        self.note(f"train {Path(cfg.filename).parent.name}")
        return SimpleNamespace(train_dataloader=SimpleNamespace(dataset=SimpleNamespace(problems=[1])))

    def test(self, cfg, **kwargs):
        self.configs.append(cfg)
        evaluator = cfg.test_evaluator.type
        name = {"ParseCount": "features", "KineticsTPSMetric": "system"}.get(evaluator, "measure")
        self.note("floor" if "most_frequent" in cfg.get("title", "").replace(" ", "_") else name)
        if evaluator == "KineticsTPSMetric":
            folder = Path(cfg.test_evaluator.out_dir)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "report.json").write_text(json.dumps({"score": 0.5, "sources": {}}))
        metrics = {"parsed": 6, "failed": 2} if name == "features" else {"x": 1.0}
        metrics |= {"tps/score": 0.5} if name == "system" else {}
        return metrics, SimpleNamespace(test_dataloader=SimpleNamespace(dataset=SimpleNamespace(problems=[])))


@pytest.fixture
def stand_ins(monkeypatch):
    return StandIns(monkeypatch)


EVERYTHING = [
    "train person_detection",
    "train part_parsing",
    "train action_recognition",
    "train action_recognition",
    "measure",
    "measure",
    "measure",
    "measure",
    "features",
    "train feature_fusion",
    "system",
    "floor",
    "draw",
]


class TestSteps:
    def test_order_and_report(self, system, stand_ins, tmp_path):
        made = system()
        report = made.run()
        assert stand_ins.calls == EVERYTHING
        assert report == read(tmp_path / "work" / "report.json")
        assert report["score"] == report["baseline_score"] == 0.5 and report["system"] == "dap.py"
        assert report["metrics"] == {"x": 1.0}  # of a second metric, beside the score
        assert set(report["seconds"]) == set(made.place.record) and len(made.place.record) == 13
        assert made.place.skipped == 5 * 1 + 2  # one in every training, two videos without features

    def test_nothing_is_done_twice(self, system, stand_ins):
        first = system().run()
        stand_ins.calls.clear()
        again = system()
        assert again.run() == first and stand_ins.calls == [] and again.place.skipped == 7

    def test_folder_may_be_moved(self, system, stand_ins, tmp_path):
        system().run()
        stand_ins.calls.clear()
        moved = shutil.move(tmp_path / "work", tmp_path / "elsewhere")
        system(moved).run()
        assert stand_ins.calls == []

    @pytest.mark.parametrize("step", ["train part_parsing", "train feature_fusion", "floor"])
    def test_interrupted(self, system, stand_ins, step):
        stand_ins.fail_at = step
        with pytest.raises(KeyboardInterrupt):
            system().run()
        done = list(stand_ins.calls)
        stand_ins.calls.clear()
        stand_ins.fail_at = ""
        system().run()
        assert done + stand_ins.calls == EVERYTHING

    def test_other_frames_redo_the_test_alone(self, system, stand_ins):
        system().run()
        stand_ins.calls.clear()
        system(**{"model.frames.step": 4}).run()
        redone = set(stand_ins.calls)
        assert {"system", "floor", "draw"} <= redone and not any(name.startswith("train") for name in redone)

    def test_another_test_choice_keeps_the_weights_but_no_number(self, system, stand_ins):
        """Flip or sizes in testing: networks are measured again, and what learnt from the old features is refused
        before those are replaced."""
        system().run()
        stand_ins.calls.clear()
        with pytest.raises(InputError, match="dap_mlp_1xb16_synthetic was trained with another config or data"):
            system(**{"test_dataloader.batch_size": 3}).run()
        assert stand_ins.calls == ["measure"] * 4

    @pytest.mark.parametrize("change", ["config", "data"])
    def test_weights_of_something_else_are_refused(self, system, stand_ins, tiny_copy, change):
        system(root=tiny_copy).run()
        stand_ins.calls.clear()
        options = {}
        if change == "config":
            options = {"train_cfg.max_epochs": 99}
        else:
            (tiny_copy / "train_annotations" / "lunge" / "lunge_train_0" / "img_00001.json").write_text("{}")
        with pytest.raises(InputError, match="was trained with another config or data: remove it or give another"):
            system(root=tiny_copy, **options).run()
        assert stand_ins.calls == []

    def test_other_test_videos_leave_the_weights_alone(self, system, stand_ins, tiny_copy):
        system(root=tiny_copy).run()
        stand_ins.calls.clear()
        (tiny_copy / "test_annotations" / "lunge" / "lunge_test_0" / "img_00001.json").write_text("{}")
        system(root=tiny_copy).run()
        assert stand_ins.calls == ["measure"] * 4 + ["system", "floor", "draw"]

    def test_test_split_without_annotations(self, system, stand_ins, tiny_copy):
        shutil.rmtree(tiny_copy / "test_annotations")
        system(root=tiny_copy).run()
        left_out = ["measure"] * 2  # persons and parts; the actions of videos are in the folders' names
        assert sorted(stand_ins.calls + left_out) == sorted(EVERYTHING)

    def test_spelling_of_the_data_folder_does_not_matter(self, system, stand_ins, tiny_copy, monkeypatch):
        system(root=tiny_copy).run()
        stand_ins.calls.clear()
        monkeypatch.chdir(tiny_copy.parent)
        system(root=Path(tiny_copy.name)).run()
        assert stand_ins.calls == []

    def test_removed_weights_are_trained_again(self, system, stand_ins, tiny_copy, drawn, tmp_path):
        system(root=tiny_copy).run()
        stand_ins.calls.clear()
        shutil.rmtree(tmp_path / "work")
        system(root=tiny_copy, **{"train_cfg.max_epochs": 99}).run()
        assert stand_ins.calls == EVERYTHING


def test_network_config_is_refused(drawn, tiny_root):
    with pytest.raises(InputError, match="is of one network: train it with tools/train.py"):
        Reproduction(drawn.quick_config("part_parsing"), options={"data_root": str(tiny_root)})


def test_video_that_breaks_is_not_drawn(tiny_root, monkeypatch):
    videos = [Video(path) for path in sorted((tiny_root / "test_videos").glob("*/*.mp4"))]

    def parse_video(video):
        if video is videos[1]:
            raise InputError(f"{video.path} ends after frame 3")
        return video.name

    parser = SimpleNamespace(parse_video=parse_video)
    found = [(next(frames).shape, parse) for frames, parse in _parse_each(parser, videos)]
    assert found == [((64, 96, 3), "lunge_test_0"), ((64, 96, 3), "push_up_test_0")]


PARTS_ON_RECORDS = """
_base_ = {parent!r}
parses_dir = "nowhere"
train_dataloader = dict(dataset=dict(keypoints="@parses_dir/keypoints/train", frame_step=3))
test_dataloader = dict(dataset=dict(keypoints="@parses_dir/keypoints/test"))
"""
PERSONS_AND_PARTS = """
_base_ = {parent!r}
stage = _base_.stages.parts
model = dict(stages=[{before} dict(stage, config={config!r}{more}), dict(type="X", weights=dict(a=1))])
floor = None
"""
GROW = 'dict(type="GrowBoxes", margin={margin}),'


class TestNetworksThatLearnFromRecords:
    """A part network that learns from what the stages before it have parsed, as one that is guided by keypoints."""

    @pytest.fixture
    def make(self, drawn, tiny_root, tmp_path):
        def make(name="guided", *, before="_base_.stages.persons,", more="", network="parts", **options):
            config = tmp_path / f"{network}.py"
            config.write_text(PARTS_ON_RECORDS.format(parent=str(drawn.quick_config("part_parsing"))))
            path = tmp_path / f"{name}.py"
            parts = dict(before=before, config=str(config), more=more)
            path.write_text(PERSONS_AND_PARTS.format(parent=str(drawn.QUICK_SYSTEM), **parts))
            options = {"data_root": str(tiny_root), **options}
            return Reproduction(path, work_dir=str(tmp_path / "work"), options=options, jobs=1)

        return make

    ROW = ["train person_detection", "measure", "features", "train parts", "features", "measure", "system"]

    def test_order_and_frames(self, make, stand_ins, tmp_path):
        made = make()
        made.run()
        # The trainings are told apart by the folder of their config.
        assert [call.replace(tmp_path.name, "parts") for call in stand_ins.calls] == [*self.ROW, "draw"]
        train, test = [cfg for cfg in stand_ins.configs if cfg.test_evaluator.type == "ParseCount"]
        folder = tmp_path / "work" / "parses" / "keypoints"
        assert [cfg.model.save_dir for cfg in (train, test)] == [str(folder / "train"), str(folder / "test")]
        assert [cfg.test_dataloader.dataset.split for cfg in (train, test)] == ["train", "test"]
        # The frames that the network's data sets take of a video.
        assert [dict(cfg.model.frames) for cfg in (train, test)] == [
            dict(type="EveryFrame", step=3),
            dict(type="EveryFrame", step=5),
        ]
        assert [stage.type for stage in train.model.stages] == ["DetectPersons"]
        assert all((folder / split / "made_by.json").is_file() for split in ("train", "test"))
        [guided] = [network for network in made.networks if network.name == "parts"]
        assert guided.load().train_dataloader.dataset.keypoints == str(folder / "train")

    def test_nothing_is_done_twice(self, make, stand_ins):
        make().run()
        stand_ins.calls.clear()
        make().run()
        assert stand_ins.calls == []

    def test_frames_of_the_stage(self, make, stand_ins):
        make(more=', frames=dict(type="EveryFrame", step=4), train_frames=dict(type="EvenFrames", num=2)').test()
        train, test = [cfg.model.frames for cfg in stand_ins.configs if cfg.test_evaluator.type == "ParseCount"]
        assert train == dict(type="EvenFrames", num=2) and test == dict(type="EveryFrame", step=4)

    @pytest.mark.parametrize("step", ["features", "train parts"])
    def test_interrupted(self, make, stand_ins, step, tmp_path):
        stand_ins.fail_at = step.replace("parts", tmp_path.name)
        with pytest.raises(KeyboardInterrupt):
            make().test()
        done = list(stand_ins.calls)
        stand_ins.calls.clear()
        stand_ins.fail_at = ""
        make().test()
        calls = [call.replace(tmp_path.name, "parts") for call in done + stand_ins.calls]
        assert calls == self.ROW

    def test_row_ends_with_the_stage_that_gives_keypoints(self, make, stand_ins):
        """What comes between it and the network, as boxes that are grown, changes neither records nor network."""
        pose = '_base_.stages.persons, dict(type="ReadParse", folder="x", gives=["keypoints"]),'
        made = make(before=pose)
        made.test()
        [train, _] = [cfg for cfg in stand_ins.configs if cfg.test_evaluator.type == "ParseCount"]
        assert [stage.type for stage in train.model.stages] == ["DetectPersons", "ReadParse"]
        stand_ins.calls.clear()
        swin = "_base_.stages.swin,"
        make("grown", before=pose + GROW.format(margin=0.1) + swin).test()
        assert sorted(stand_ins.calls) == ["measure", "system", "train action_recognition"]

    def test_rules_before_it_are_part_of_what_it_is(self, make, stand_ins):
        grown = "_base_.stages.persons," + GROW
        make(before=grown.format(margin=0.1)).test()
        stand_ins.calls.clear()
        with pytest.raises(InputError, match="parts was trained with another config or data: remove it"):
            make(before=grown.format(margin=0.2)).test()
        stand_ins.calls.clear()
        make(before=grown.format(margin=0.1)).test()
        assert stand_ins.calls == []  # the other's records are in the folder now, and nothing is left to learn

    def test_two_networks_that_share_a_folder(self, make, stand_ins, tmp_path):
        """Records of other stages are made anew before a network learns from them, or is measured on them."""
        grown = "_base_.stages.persons," + GROW.format(margin=0.1)
        stand_ins.fail_at = f"train {tmp_path.name}"
        with pytest.raises(KeyboardInterrupt):
            make().test()
        stand_ins.fail_at = ""
        make("another", before=grown, network="other").test()
        stand_ins.calls.clear()
        make().test()
        assert [call.replace(tmp_path.name, "parts") for call in stand_ins.calls] == self.ROW[2:]

    def test_given_weights_are_neither_trained_nor_measured(self, make, stand_ins, tmp_path):
        weights = tmp_path / "pose (ü).pth"
        weights.write_bytes(b"first")
        given = f"_base_.stages.persons, dict(_base_.stages.parts, checkpoint={str(weights)!r}),"
        made = make(before=given)
        assert [network.name for network in made.networks][1:] == ["parts"] and len(made.networks) == 2
        made.test()
        assert stand_ins.calls.count("measure") == 2
        weights.write_bytes(b"second")
        with pytest.raises(InputError, match="parts was trained with another config or data"):
            make(before=given).test()

    def test_url_is_given(self, make):
        before = '_base_.stages.persons, dict(_base_.stages.parts, checkpoint="https://example.org/net.pth"),'
        made = make(before=before)
        assert len(made.networks) == 2 and "https://example.org/net.pth" in json.dumps(made.identity)

    def test_given_weights_that_are_missing(self, make, tmp_path):
        before = f'_base_.stages.persons, dict(_base_.stages.parts, checkpoint="{tmp_path}/x.pth"),'
        with pytest.raises(InputError, match=r"checkpoint .*x\.pth is missing"):
            make(before=before)

    def test_study_does_not_take_it_alone(self, make, tmp_path, tiny_root):
        make()
        study = tmp_path / "study.py"
        data = dict(data_root=str(tiny_root), train_split="train", test_split="test", work_dir=str(tmp_path / "s"))
        rows = dict(a=dict(name="a", config="parts.py"))
        values = dict(data, configs=str(tmp_path), rows=rows, columns={"part/part_AP50": "AP50"}, title="t")
        study.write_text("\n".join(f"{name} = {value!r}" for name, value in values.items()))
        with pytest.raises(InputError, match="learns from what other networks have parsed: name a system"):
            Study(study)


class TestSystemWithoutTheScore:
    @pytest.fixture
    def make(self, drawn, tiny_root, tmp_path):
        def make(evaluator):
            path = tmp_path / "persons.py"
            text = f"_base_ = {str(drawn.QUICK_SYSTEM)!r}\nout_dir = '@work_dir/persons'\n"
            text += f"test_evaluator = {evaluator}\nmodel = dict(stages=[_base_.stages.persons])\n"
            path.write_text(text)
            options = {"data_root": str(tiny_root)}
            return Reproduction(path, work_dir=str(tmp_path / "work"), options=options, jobs=1)

        return make

    def test_has_neither_floor_nor_overlay(self, make, stand_ins, tmp_path):
        made = make('dict(_delete_=True, type="ParsedPersonAP")')
        report = made.run()
        assert stand_ins.calls == ["train person_detection", "measure", "measure"]
        assert made.out_dir == tmp_path / "work" / "persons" and report == read(made.out_dir / "report.json")
        assert report["metrics"] == {"x": 1.0} and "baseline_score" not in report and "score" not in report
        assert made.report() == {}

    def test_several_metrics(self, make):
        made = make('[_base_.test_evaluator, dict(type="ParsedPersonAP")]')
        assert made.scored and made.out_dir.name == "persons"
        apis.write_to(made.cfg, "elsewhere")
        score, persons = made.cfg.test_evaluator
        assert score.out_dir == "elsewhere" and "out_dir" not in persons


def test_no_floor(system, stand_ins):
    made = system(floor=None)
    report = made.run()
    assert stand_ins.calls == [call for call in EVERYTHING if call != "floor"]
    assert report["score"] == 0.5 and "baseline_score" not in report


class TestForReal:
    @pytest.fixture(scope="class")
    def run(self, drawn, tiny_root, tmp_path_factory, load_tool, spoil):
        """The script on a spoiled data set, two networks at a time; its exit status and the work folder."""
        from tpsparse.cli import run

        folder = tmp_path_factory.mktemp("reproduce")
        root = Path(shutil.copytree(tiny_root, folder / "data"))
        spoil(root)
        options = [f"data_root={root}", "train_cfg.max_epochs=1"]

        def call() -> int:
            arguments = [str(drawn.QUICK_SYSTEM), "--work-dir", str(folder / "work"), "--jobs", "2"]
            return run(load_tool("reproduce").main, [*arguments, "--cfg-options", *options])

        return call(), folder / "work", call

    def test_everything_is_there(self, run, find_leftovers, drawn):
        status, work_dir, _ = run
        assert status == 3  # the bad items are told, the others have gone on
        report = read(work_dir / "report.json")
        assert 0 <= report["score"] <= 1 and report["baseline_score"] >= 0
        assert set(report["psc"]) == {f"{action}_test_0" for action in drawn.ACTIONS}
        assert len(report["networks"]) == 4 and report["seconds"]["test dap"] > 0
        for name in ("submission.zip", "submission/pred_part_result.json", "ground_truth/gt_vid_result.json"):
            assert (work_dir / name).is_file()
        with av.open(str(work_dir / "overlay.mp4")) as file:
            # The test videos of two actions can be read.
            assert sum(1 for _ in file.decode(video=0)) == 2 * 12
        assert find_leftovers(work_dir) == []

    def test_features_of_what_could_be_read(self, run):
        _, work_dir, _ = run
        assert len(list((work_dir / "parses" / "train").glob("*.safetensors"))) == 4
        record = read(work_dir / "steps.json")
        assert record["features for dap_mlp_1xb16_synthetic"]["result"]["skipped"] == 2

    def test_second_run_skips_everything(self, run, monkeypatch):
        _, work_dir, call = run
        before = read(work_dir / "report.json")
        for module, name in ((apis, "train"), (apis, "test"), (ActionParser, "parse_video")):
            monkeypatch.setattr(module, name, lambda *args, **kwargs: pytest.fail("done again"))
        assert call() == 3 and read(work_dir / "report.json") == before


class TestTrainedElsewhere:
    """Weights that tools/train.py has left, as on a cluster: taken if they are of this training, and told if not."""

    @pytest.fixture
    def network(self, system):
        made = system()
        return made.networks[1]

    def leave(self, network, **changes):
        cfg = network.load()
        cfg.merge_from_dict(changes)
        network.folder.mkdir(parents=True)
        cfg.dump(network.folder / network.config.name)

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            # What it ran on, and how it will be tested.
            {"train_dataloader.batch_size": 2, "launcher": "pytorch", "optim_wrapper.type": "AmpOptimWrapper"},
            {"train_dataloader.dataset.data_root": "elsewhere", "test_dataloader.batch_size": 1},
        ],
    )
    def test_taken(self, network, changes):
        self.leave(network, **changes)
        network.claim()
        assert read(network.folder / "trained_from.json")["mark"] == network.place.mark(network.identity)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"randomness.seed": 7}, "seed"),
            ({"train_cfg.max_epochs": 1}, "schedule"),
            ({"train_dataloader.dataset.frame_step": 4}, "training data"),
            ({"optim_wrapper.optimizer.lr": 1.0, "model.part_weight": 3.0}, "model, optimizer"),
        ],
    )
    def test_refused(self, network, changes, told):
        self.leave(network, **changes)
        with pytest.raises(InputError, match=rf"was trained with another config or data \({told}\): remove it"):
            network.claim()
        assert not (network.folder / "trained_from.json").exists()
