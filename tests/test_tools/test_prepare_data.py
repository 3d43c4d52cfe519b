from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from tiny import REPOSITORY

from tpsparse.datasets.index import open_index
from tpsparse.datasets.tasks import TPSPersonDataset
from tpsparse.taxonomy import Taxonomy

SMALL = ("--actions", 2, "--train", 2, "--test", 1, "--frames", 8, "--size", "96x128", "--workers", 1)


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.parent != root / "index")
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_files_as_the_function(run_tool, people_root, tmp_path):
    assert run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", *SMALL) == 0
    assert digests(tmp_path / "data") == digests(people_root)


@pytest.mark.parametrize("split", ["train", "test"])
def test_index_reads_all_of_it(people_root, split):
    taxonomy = Taxonomy.from_root(people_root)
    index = open_index(people_root, split, taxonomy)
    assert len(index.videos) == 2 * {"train": 2, "test": 1}[split] and len(index.problems) == 0
    assert len(index.frames) == 8 * len(index.videos) and len(index.persons) >= len(index.frames)
    assert len(taxonomy.parts) == 10 and set(index.part_id[index.parts]) == set(range(10))


@pytest.mark.parametrize("size", ["96", "96x", "x96", "axb", "96x-4"])
def test_size_that_is_none(run_tool, tmp_path, size, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", "--size", size)
    assert ended.value.code == 2 and f"{size} is not HxW: write the height" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_folder_that_holds_something_else(run_tool, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    assert run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", *SMALL) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine.txt"]


def test_folder_that_cannot_be_made(run_tool, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "synthetic", "--out", "/dev/null/x", *SMALL)
    assert ended.value.code == 2 and "/dev/null is not a folder: give another place" in capsys.readouterr().err


class TestIndex:
    def test_summary(self, run_tool, tiny_copy, capsys):
        assert run_tool("prepare_data", "index", tiny_copy, "--workers", 1, "--schema-report", "--check-videos") == 0
        told = capsys.readouterr().out
        assert "9 videos, 108 frames, 144 persons, 396 parts, 0 objects" in told and "no problems found" in told
        assert "humans[].parts{}.verb    396" in told
        assert run_tool("prepare_data", "index", tiny_copy) == 0
        assert "0 videos were read, 9 had not changed" in capsys.readouterr().out

    def test_broken_items(self, run_tool, tiny_copy, spoil, capsys):
        told = spoil(tiny_copy)
        assert run_tool("prepare_data", "index", tiny_copy) == 3
        summary = capsys.readouterr().out
        assert "errors, what they name is not used:" in summary and "unreadable-video" in summary
        listed = (tiny_copy / "index" / "problems.csv").read_text()
        assert all(file in listed and message in listed for file, message in told.items())

    def test_not_a_data_set(self, run_tool, tmp_path, capsys):
        assert run_tool("prepare_data", "index", tmp_path) == 2
        assert "list/body_part.txt is missing" in capsys.readouterr().err

    def test_interrupted_and_run_again(self, tiny_copy, environment):
        command = [sys.executable, str(REPOSITORY / "tools" / "prepare_data.py"), "index", str(tiny_copy)]
        first = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(0.4)
        first.kill()
        first.wait()
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and "108 frames" in done.stdout
        assert not (tiny_copy / "index" / "pieces").exists()


class TestSplits:
    def test_written_once(self, run_tool, tiny_copy, capsys):
        assert run_tool("prepare_data", "splits", tiny_copy, "--folds", 2) == 0
        assert capsys.readouterr().out.count("\n") == 4
        before = digests(tiny_copy / "splits")
        assert sorted(before) == ["2fold.json", "all.json", "dap.json", "runner_up.json"]
        assert run_tool("prepare_data", "splits", tiny_copy, "--folds", 2) == 0
        assert digests(tiny_copy / "splits") == before

    def test_not_changed_silently(self, run_tool, tiny_copy, capsys):
        assert run_tool("prepare_data", "splits", tiny_copy) == 0
        before = digests(tiny_copy / "splits")
        for seed in range(1, 9):  # two videos an action: half of the seeds draw the same one of an action
            status = run_tool("prepare_data", "splits", tiny_copy, "--seed", seed)
            assert status == 2 and "--overwrite" in capsys.readouterr().err
        assert digests(tiny_copy / "splits") == before
        assert run_tool("prepare_data", "splits", tiny_copy, "--seed", 1, "--overwrite") == 0

    def test_unknown_name(self, run_tool, tiny_copy, capsys):
        assert run_tool("prepare_data", "splits", tiny_copy, "--names", "mine") == 2
        assert "mine" in capsys.readouterr().err and not (tiny_copy / "splits").exists()


class TestFrames:
    def test_extracted_once_and_found_by_the_data_sets(self, run_tool, tiny_copy, capsys):
        arguments = ("prepare_data", "frames", tiny_copy, "--short-side", 32, "--workers", 1)
        assert run_tool(*arguments) == 0
        picture = tiny_copy / "train_frames" / "push_up" / "push_up_train_0" / "img_00003.jpg"
        assert cv2.imread(str(picture)).shape == (32, 48, 3)
        assert len(list(tiny_copy.glob("*_frames/*/*/*.jpg"))) == 108
        written = picture.stat().st_mtime_ns
        assert run_tool(*arguments) == 0 and picture.stat().st_mtime_ns == written
        assert run_tool("prepare_data", "frames", tiny_copy, "--short-side", 16) == 2
        assert "repeat with --short-side 32" in capsys.readouterr().err

    def test_frames_of_a_replaced_video_are_not_used(self, run_tool, tiny_copy, drawn):
        assert run_tool("prepare_data", "frames", tiny_copy, "--short-side", 32, "--workers", 1) == 0
        options = dict(data_root=str(tiny_copy), taxonomy=Taxonomy.from_root(tiny_copy).to_meta(), pipeline=[])
        first = TPSPersonDataset(split="train", **options)[0]
        assert first["img"].shape == (32, 48, 3)
        assert first["boxes"].tolist() == [[side / 2 for side in drawn.person_box("lunge", 1, 0)]]
        assert TPSPersonDataset(split="train", use_frames=False, **options)[0]["img"].shape == (64, 96, 3)
        path = tiny_copy / "train_videos" / "lunge" / "lunge_train_0.mp4"
        drawn.encode(path, [drawn.draw_frame("push_up", frame) for frame in range(1, 13)])
        dataset = TPSPersonDataset(split="train", **options)
        assert dataset[0]["img"].shape == (64, 96, 3) and dataset[12]["img"].shape == (32, 48, 3)

    def test_broken_video_costs_itself(self, run_tool, tiny_copy):
        (tiny_copy / "train_videos" / "push_up" / "push_up_train_0.mp4").write_bytes(b"")
        assert run_tool("prepare_data", "frames", tiny_copy, "--workers", 1) == 3
        assert len(list(tiny_copy.glob("*_frames/*/*/*.jpg"))) == 108 - 12


class TestCoco:
    def test_there_and_back(self, run_tool, tiny_copy, tmp_path):
        before = digests(tiny_copy / "train_annotations")
        assert run_tool("prepare_data", "coco", "export", tiny_copy, "--out", tmp_path / "train.json") == 0
        assert run_tool("prepare_data", "coco", "import", tiny_copy, tmp_path / "train.json") == 0
        assert digests(tiny_copy / "train_annotations") == before
        exported = json.loads((tmp_path / "train.json").read_text())
        for annotation in exported["annotations"]:
            if annotation["attributes"].get("state") == "lift":
                annotation["attributes"]["state"] = "bend"
        (tmp_path / "train.json").write_text(json.dumps(exported))
        assert run_tool("prepare_data", "coco", "import", tiny_copy, tmp_path / "train.json") == 0
        after = digests(tiny_copy / "train_annotations")
        assert after.keys() == before.keys() and after != before
        assert not any('"lift"' in path.read_text() for path in (tiny_copy / "train_annotations").rglob("*.json"))

    def test_file_that_is_not_there(self, run_tool, tiny_copy, tmp_path, capsys):
        assert run_tool("prepare_data", "coco", "import", tiny_copy, tmp_path / "none.json") == 2
        assert "none.json" in capsys.readouterr().err
