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
from tpsparse.reproduction import Reproduction
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
        evaluator = cfg.test_evaluator.type
        name = {"ParseCount": "features", "KineticsTPSMetric": "system"}.get(evaluator, "measure")
        self.note("floor" if "most_frequent" in cfg.get("title", "").replace(" ", "_") else name)
        if evaluator == "KineticsTPSMetric":
            folder = Path(cfg.test_evaluator.out_dir)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "report.json").write_text(json.dumps({"score": 0.5, "sources": {}}))
        metrics = {"parsed": 6, "failed": 2} if name == "features" else {"x": 1.0}
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
        """Flip or sizes in testing: networks are measured again, features made again, and what learnt from the old
        features is refused."""
        system().run()
        stand_ins.calls.clear()
        with pytest.raises(InputError, match="dap_mlp_1xb16_synthetic was trained with another config or data"):
            system(**{"test_dataloader.batch_size": 3}).run()
        assert stand_ins.calls == ["measure"] * 4 + ["features"]

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
