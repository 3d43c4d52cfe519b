"""tools/test.py: networks and systems with random weights, whole and broken input."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch


@pytest.fixture
def work_dir(quick_work_dir, tmp_path):
    """A copy of the folder with the quick system's random weights."""
    return Path(shutil.copytree(quick_work_dir, tmp_path / "work"))


@pytest.fixture
def run_system(run_tool, drawn, work_dir, tiny_root):
    def call(*arguments, root=tiny_root, system=drawn.QUICK_SYSTEM, options=()):
        given = [*arguments, "--work-dir", work_dir, "--cfg-options", f"data_root={root}", *options]
        return run_tool("test", system, *given)

    return call


def read(path: Path):
    return json.loads(path.read_text())


class TestSystem:
    def test_files_and_score(self, run_system, work_dir, tmp_path, run_tool, capsys, find_leftovers):
        assert run_system() == 0
        report = read(work_dir / "report.json")
        printed = dict(line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("tps/"))
        assert printed["tps/score"] == f"{report['score']:.4f}" and report["skipped"] == {}
        names = {"lunge_test_0", "pull_ups_test_0", "push_up_test_0"}
        assert set(report["psc"]) == names
        parts = read(work_dir / "submission" / "pred_part_result.json")
        assert {video: list(frames) for video, frames in parts.items()} == {
            name: ["img_00001.json", "img_00006.json", "img_00011.json"] for name in names
        }
        with zipfile.ZipFile(work_dir / "submission.zip") as archive:
            for name in archive.namelist():
                assert archive.read(name) == (work_dir / "submission" / name).read_bytes()
        # The files give the same score again.
        file = tmp_path / "again.json"
        pred, truth = work_dir / "submission", work_dir / "ground_truth"
        assert run_tool("evaluate", "--gt", truth, "--pred", pred, "--json", file) == 0
        again = read(file)
        assert all(again[key] == pytest.approx(report[key], abs=1e-12) for key in ("score", "action_top1", "mean_psc"))
        assert find_leftovers(tmp_path) == []

    def test_floor_reads_the_records_of_the_system(self, run_system, work_dir, drawn):
        assert run_system() == 0
        assert run_system(system=drawn.QUICK_SYSTEM.with_name("most_frequent.py")) == 0
        own, floor = (
            read(folder / "submission" / "pred_part_result.json") for folder in (work_dir, work_dir / "most_frequent")
        )
        actions = read(work_dir / "submission" / "pred_vid_result.json")
        assert actions == read(work_dir / "most_frequent" / "submission" / "pred_vid_result.json")
        table = {
            "lunge": ("none", "bend", "bend"),
            "pull_ups": ("none", "bend", "lift"),
            "push_up": ("none", "bend", "bend"),
        }
        seen = 0
        for video, frames in own.items():
            for frame, content in frames.items():
                for person, other in zip(content["humans"], floor[video][frame]["humans"], strict=True):
                    assert person["box"] == other["box"] and set(person["parts"]) == set(other["parts"])
                    for part, found in other["parts"].items():
                        assert found["box"] == person["parts"][part]["box"]
                        assert found["verb"] == [table[actions[video]][drawn.PARTS.index(part)]]
                        seen += 1
        assert seen > 20

    def test_floor_without_records(self, run_system, drawn):
        system = drawn.QUICK_SYSTEM.with_name("most_frequent.py")
        assert run_system(system=system) == 3  # every video is skipped, which is told

    def test_out(self, run_system, tmp_path, work_dir):
        assert run_system("--out", tmp_path / "out") == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "ground_truth",
            "metrics.json",
            "parses",
            "report.json",
            "submission",
            "submission.zip",
        ]
        assert not (work_dir / "submission").exists()

    def test_records_are_read_the_second_time(self, run_system, work_dir, monkeypatch):
        from tpsparse.parsing import DetectPersons

        assert run_system() == 0
        first = (work_dir / "submission.zip").read_bytes()
        monkeypatch.setattr(DetectPersons, "parse_frames", lambda *args: pytest.fail("parsed again"))
        shutil.rmtree(work_dir / "submission")
        assert run_system() == 0 and (work_dir / "submission.zip").read_bytes() == first

    def test_bad_videos_are_skipped_and_listed(
        self, run_system, run_tool, work_dir, tiny_copy, capsys, tmp_path, find_leftovers
    ):
        videos = tiny_copy / "test_videos"
        (videos / "lunge" / "lunge_test_0.mp4").write_text("not a video")
        whole = (videos / "pull_ups" / "pull_ups_test_0.mp4").read_bytes()
        (videos / "pull_ups" / "pull_ups_test_0.mp4").write_bytes(whole[: len(whole) * 2 // 3])
        assert run_system(root=tiny_copy) == 3
        output = capsys.readouterr().out
        assert output.count("test set: skipped 2 videos, listed above") == 1
        for name, told in (("lunge_test_0", "is not a video"), ("pull_ups_test_0", "is truncated")):
            assert sum(f"{name}.mp4: {told}" in line for line in output.splitlines()) == 1
        report = read(work_dir / "report.json")
        assert sorted(report["skipped"]) == ["lunge_test_0", "pull_ups_test_0"]
        parts = read(work_dir / "submission" / "pred_part_result.json")
        assert [len(parts[f"{action}_test_0"]) for action in ("lunge", "pull_ups", "push_up")] == [0, 0, 3]
        assert find_leftovers(tmp_path) == []
        pred, truth = work_dir / "submission", work_dir / "ground_truth"
        assert sorted(report["psc"]) == ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"]
        assert report["psc"]["lunge_test_0"] == report["psc"]["pull_ups_test_0"] == 0
        # The missing frames of the two videos are findings, and count as nothing found.
        assert run_tool("evaluate", "--gt", truth, "--pred", pred, "--json", tmp_path / "again.json") == 2
        assert len(read(tmp_path / "again.json")["findings"]) == 2 * 3
        assert read(tmp_path / "again.json")["score"] == pytest.approx(report["score"], abs=1e-12)

    def test_video_that_breaks_in_parsing(self, run_system, work_dir, monkeypatch, capsys):
        from tpsparse.datasets.video import Video

        windows = Video.windows

        def breaking(self, numbers, room):
            if self.name == "push_up_test_0":
                raise self._too_short(11, 8)
            return windows(self, numbers, room)

        monkeypatch.setattr(Video, "windows", breaking)
        assert run_system() == 3
        assert "test set: skipped 1 video, listed above" in capsys.readouterr().out
        assert list(read(work_dir / "report.json")["skipped"]) == ["push_up_test_0"]
        assert not (work_dir / "parses" / "test" / "push_up_test_0.safetensors").exists()

    def test_bad_annotations(self, run_system, tiny_copy, capsys):
        folder = tiny_copy / "test_annotations" / "lunge" / "lunge_test_0"
        (folder / "img_00001.json").write_text("[")
        assert run_system(root=tiny_copy) == 3
        assert "test set: skipped 1 frame, listed above" in capsys.readouterr().out

    def test_split_without_annotations(self, run_system, tiny_copy, work_dir):
        shutil.rmtree(tiny_copy / "test_annotations")
        assert run_system(root=tiny_copy) == 0
        assert len(read(work_dir / "submission" / "pred_vid_result.json")) == 3
        assert not (work_dir / "ground_truth").exists() and read(work_dir / "report.json")["score"] is None


class TestRefusedSystem:
    def refused(self, run_system, capsys, work_dir, *arguments, **kwargs) -> str:
        capsys.readouterr()
        assert run_system(*arguments, **kwargs) == 2
        [line] = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
        assert not (work_dir / "submission.zip").exists() and not (work_dir / "report.json").exists()
        return line

    def part_run(self, drawn, work_dir):
        return work_dir / drawn.quick_config("part_parsing").stem

    def test_absent_checkpoint(self, run_system, capsys, work_dir, drawn):
        shutil.rmtree(self.part_run(drawn, work_dir))
        told = self.refused(run_system, capsys, work_dir)
        assert f"checkpoint {self.part_run(drawn, work_dir)} is missing: train it with python tools/train.py" in told

    def test_absent_checkpoint_by_option(self, run_system, capsys, work_dir):
        told = self.refused(run_system, capsys, work_dir, options=["model.stages.0.checkpoint=absent.pth"])
        assert "checkpoint absent.pth is missing" in told

    def test_checkpoint_of_another_network(self, run_system, capsys, work_dir, drawn):
        other = work_dir / drawn.quick_config("feature_fusion").stem / "epoch_1.pth"
        shutil.copy(other, self.part_run(drawn, work_dir) / "epoch_1.pth")
        told = self.refused(run_system, capsys, work_dir)
        assert "epoch_1.pth is of another network than" in told and "give the checkpoint" in told

    def test_checkpoint_of_another_vocabulary(self, run_system, capsys, work_dir, tiny_copy):
        (tiny_copy / "list" / "part_stat.txt").write_text("none\nbend\nlift\nhold\n")
        told = self.refused(run_system, capsys, work_dir, root=tiny_copy)
        assert (
            "was trained with other states (3 names) than those at hand (4): use networks and data of one vocabulary"
            in told
        )

    @pytest.mark.parametrize("content", [b"", b"words"])
    def test_checkpoint_that_is_none(self, run_system, capsys, work_dir, drawn, content):
        (self.part_run(drawn, work_dir) / "epoch_1.pth").write_bytes(content)
        assert "epoch_1.pth" in self.refused(run_system, capsys, work_dir)

    def test_checkpoint_that_would_run_code(self, run_system, capsys, work_dir, drawn):
        torch.save({"state_dict": {"a": shutil.rmtree}}, self.part_run(drawn, work_dir) / "epoch_1.pth")
        assert "was refused: it asks for shutil.rmtree" in self.refused(run_system, capsys, work_dir)

    def test_checkpoint_argument(self, run_system, capsys, work_dir):
        told = self.refused(run_system, capsys, work_dir, work_dir / "x.pth")
        assert "is of a system, whose stages name" in told


class TestNetwork:
    @pytest.fixture
    def trained(self, narrow_parts, tiny_root, tmp_path, run_tool):
        config = narrow_parts(tmp_path / "narrow.py", tiny_root, **{"train_cfg.max_epochs": 1})
        assert run_tool("train", config, "--work-dir", tmp_path / "run") == 0
        return config, tmp_path / "run"

    def test_last_checkpoint_of_the_work_folder(self, trained, run_tool, capsys):
        config, folder = trained
        assert run_tool("test", config, "--work-dir", folder) == 0
        by_folder = capsys.readouterr().out.splitlines()[-3:]
        assert run_tool("test", config, folder / "epoch_1.pth", "--work-dir", folder.with_name("elsewhere")) == 0
        assert capsys.readouterr().out.splitlines()[-3:] == by_folder and len(by_folder) == 3

    def test_out_is_what_is_printed(self, trained, run_tool, capsys, tmp_path):
        config, folder = trained
        assert run_tool("test", config, "--work-dir", folder, "--out", tmp_path / "out") == 0
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        printed = dict(line.split() for line in capsys.readouterr().out.splitlines()[-len(metrics) :])
        assert {name: f"{value:.4f}" for name, value in metrics.items()} == printed

    def test_bad_items(self, trained, run_tool, capsys, tiny_copy):
        config, folder = trained
        (tiny_copy / "test_videos" / "lunge" / "lunge_test_0.mp4").write_bytes(b"")
        (tiny_copy / "test_annotations" / "push_up" / "push_up_test_0" / "img_00006.json").unlink()
        capsys.readouterr()
        assert run_tool("test", config, "--work-dir", folder, "--cfg-options", f"data_root={tiny_copy}") == 3
        assert "test set: skipped 1 video, 1 frame, listed above" in capsys.readouterr().out

    @pytest.mark.parametrize("checkpoint", ["absent.pth", None])
    def test_absent_checkpoint(self, narrow_parts, tiny_root, tmp_path, run_tool, capsys, checkpoint):
        config = narrow_parts(tmp_path / "narrow.py", tiny_root)
        assert run_tool("test", config, *filter(None, [checkpoint]), "--work-dir", tmp_path / "run") == 2
        assert "is missing: train it with python tools/train.py" in capsys.readouterr().err

    def test_checkpoint_of_another_network(self, trained, run_tool, capsys, quick_work_dir, drawn):
        config, folder = trained
        other = quick_work_dir / drawn.quick_config("part_parsing").stem  # the same classes, wider
        capsys.readouterr()
        assert run_tool("test", config, other, "--work-dir", folder) == 2
        assert "is of another network than" in capsys.readouterr().err

    @pytest.mark.parametrize("option", ["model.typo=3", "test_dataloader.batch_size=0"])
    def test_option_that_cannot_be_built(self, trained, run_tool, capsys, option):
        config, folder = trained
        capsys.readouterr()
        assert run_tool("test", config, "--work-dir", folder, "--cfg-options", option) == 2
        [line] = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
        assert f"config {config} cannot be built (" in line and line.endswith("): correct it or the --cfg-options")

    def test_out_that_is_a_file(self, run_tool, drawn, tmp_path, capsys):
        (tmp_path / "out").touch()
        with pytest.raises(SystemExit) as ended:
            run_tool("test", drawn.QUICK_SYSTEM, "--out", tmp_path / "out")
        assert ended.value.code == 2 and "out is not a folder: give another place" in capsys.readouterr().err

    def test_nothing_to_test(self, run_tool, drawn, tiny_root, capsys):
        assert run_tool("test", drawn.CONFIGS / "_base_" / "runtime.py", "--cfg-options", f"data_root={tiny_root}") == 2
        assert "runtime.py tests nothing" in capsys.readouterr().err
