import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tpsparse import cli
from tpsparse.evaluation.submission import write_ground_truth, write_submission
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / ".." / "shared" / "golden"
BOX, FRAME = [0, 0, 9, 9], "img_00001.json"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("evaluate_tool", ROOT / "tools" / "evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _person(state, proposals):
    part = {"box": [BOX], "verb": [state]} if proposals else {"box": BOX, "verb": state}
    return {"number": 1, "box": BOX, "parts": {"head": part, "left_arm": part}}


@pytest.fixture
def folder(tmp_path):
    """A ground truth and a perfect prediction of two videos, all in one folder."""
    contents = {
        "gt_part_result": {video: {FRAME: {"humans": [_person("bend", False)]}} for video in "vw"},
        "gt_vid_result": {"v": "lunge", "w": "push_up"},
        "pred_part_result": {video: {FRAME: {"humans": [_person("bend", True)]}} for video in "vw"},
        "pred_vid_result": {"v": "lunge", "w": "push_up"},
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def _run(tool, folder, *options, pred=None):
    report = folder / "report.json"
    command = ["--gt", folder, "--pred", pred or folder, "--json", report, *options]
    status = cli.run(tool.main, [str(word) for word in command])
    return status, json.loads(report.read_text()) if report.exists() else None


def _edit(folder, name, edit):
    path = folder / f"{name}.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_valid_submission(tool, folder, capsys):
    status, report = _run(tool, folder)
    assert status == 0
    assert report == {
        "score": pytest.approx(0.9999, abs=1e-9),
        "action_top1": 1.0,
        "mean_psc": 1.0,
        "psc": {"v": 1.0, "w": 1.0},
        "action_correct": {"v": True, "w": True},
        "part_accuracy": {"head": 1.0, "left_arm": 1.0},
        "findings": [],
    }
    printed = capsys.readouterr()
    assert "0.9999" in printed.out
    assert "left_arm" in printed.out
    assert printed.err == ""


def test_findings_are_listed_and_the_score_is_given_despite_them(tool, folder, capsys):
    _edit(folder, "pred_part_result", lambda parts: parts["v"].clear())
    _edit(folder, "pred_vid_result", lambda actions: actions.update(x="lunge"))
    status, report = _run(tool, folder)
    assert status == 2
    assert report["psc"] == {"v": 0.0, "w": 1.0}
    assert len(report["findings"]) == 2
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "x pred_vid_result: the video is unknown to the ground truth",
        "v img_00001.json: the frame is missing, its parts score 0",
        f"2 findings in {folder}",
    ]
    assert "score despite 2 findings" in printed.out


def test_findings_that_leave_no_score(tool, folder, capsys):
    _edit(folder, "pred_part_result", lambda parts: parts["v"][FRAME]["humans"][0].pop("box"))
    status, report = _run(tool, folder)
    assert (status, report) == (2, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "v img_00001.json humans[0].box: the person has no box"
    assert lines[-1].startswith("error:")
    assert "cannot be scored" in lines[-1]


def test_thresholds(tool, folder):
    smaller = [0, 0, 9, 4]

    def shrink(parts):
        parts["v"][FRAME]["humans"][0]["parts"]["head"]["box"] = [smaller]

    _edit(folder, "pred_part_result", shrink)
    assert _run(tool, folder, "--part-iou", "0.5")[1]["psc"]["v"] == 1.0
    assert _run(tool, folder, "--part-iou", "0.51")[1]["psc"]["v"] == 0.5
    with pytest.raises(SystemExit):
        _run(tool, folder, "--human-iou", "1.5")


@pytest.mark.parametrize("prefix", ["", "submission/"])
def test_a_zip_archive(tool, folder, prefix):
    archive = folder / "submission.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("pred_part_result.json", "pred_vid_result.json"):
            file.write(folder / name, prefix + name)
    assert _run(tool, folder, pred=archive) == _run(tool, folder)


def test_names_beside_the_ground_truth(tool, folder):
    def rename(parts):
        parts["v"][FRAME]["humans"][0]["parts"]["head"]["verb"] = ["tiptoe"]

    _edit(folder, "pred_part_result", rename)
    assert "unknown to the ground truth" in _run(tool, folder)[1]["findings"][0]
    names = {"parts": ["head", "left_arm", "right_arm"], "states": ["bend", "tiptoe"], "objects": []}
    (folder / "taxonomy.json").write_text(json.dumps({**names, "actions": ["lunge", "push_up"]}))
    assert _run(tool, folder)[0] == 0
    (folder / "taxonomy.json").write_text("[]")
    assert _run(tool, folder)[0] == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gt_part_result.json", None, "is missing"),
        ("gt_vid_result.json", b"{", "is not JSON"),
        ("pred_part_result.json", None, "is missing"),
        ("pred_part_result.json", b"\xff\xfe{", "is not JSON"),
        ("pred_part_result.json", b"[" * 100_000, "is not JSON"),
        ("pred_part_result.json", b'{"v": ' + b"9" * 5000 + b"}", "is not JSON"),
        ("pred_vid_result.json", b"", "is not JSON"),
        ("pred_vid_result.json", b"[]", "cannot be scored"),
        ("gt_part_result.json", b"{}", "gt_part_result is empty"),
        ("gt_part_result.json", b'{"v": {}}', "gt_part_result, w: the video is missing"),
    ],
)
def test_files_that_cannot_be_used(tool, folder, capsys, name, content, words):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    status, report = _run(tool, folder)
    assert (status, report) == (2, None)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert words in last
    assert name.removesuffix(".json") in last


@pytest.mark.parametrize("kind", ["a folder", "below a file", "a protected folder"])
def test_a_report_that_cannot_be_written(folder, kind):
    (folder / "made").mkdir(mode=0o500)
    report = {
        "a folder": folder,
        "below a file": folder / "gt_vid_result.json" / "report.json",
        "a protected folder": folder / "made" / "report.json",
    }[kind]
    if kind == "a protected folder" and os.access(report.parent, os.W_OK):
        pytest.skip("this user may write anywhere")
    command = [sys.executable, ROOT / "tools" / "evaluate.py", "--gt", folder, "--pred", folder, "--json", report]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "0.9999" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {report} cannot be written (")
    assert not list(folder.rglob("*.partial*"))


def test_frames_without_a_readable_annotation_are_no_findings(tool, tmp_path):
    taxonomy = Taxonomy(parts=("head",), states=("none", "bend"), actions=("lunge", "push_up"))
    box = np.array([[0, 0, 9, 9]], dtype=np.float32)

    def parse(numbers, state):
        frames = [FrameParse(n, box, part_boxes=box[None], part_states=np.array([[state(n)]])) for n in numbers]
        return VideoParse("v", num_frames=16, frames=frames, action_scores={"action": np.array([0.0, 1.0])})

    # Of four evaluated frames two are annotated, and in one of these the state is predicted wrong.
    write_ground_truth(tmp_path, [parse((1, 11), lambda n: 1)], taxonomy)
    write_submission(tmp_path, [parse((1, 6, 11, 16), lambda n: int(n != 11))], taxonomy)
    status, report = _run(tool, tmp_path)
    assert (status, report["findings"], report["psc"]) == (0, [], {"v": 0.5})
    for name in ("img_00006.json", "img_00016.json"):
        _edit(tmp_path, "gt_part_result", lambda parts, name=name: parts["v"].pop(name))
    without = _run(tool, tmp_path)
    assert (without[0], len(without[1]["findings"])) == (2, 2)
    assert without[1] == {**report, "findings": without[1]["findings"]}


@pytest.mark.parametrize("names", [[], ["pred_part_result.json"], ["a/pred_part_result.json", "pred_part_result.json"]])
def test_archives_that_cannot_be_used(tool, folder, capsys, names):
    archive = folder / "submission.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, "{}")
    assert _run(tool, folder, pred=archive) == (2, None)
    assert "files named" in capsys.readouterr().err


def test_a_broken_archive(tool, folder, capsys):
    (folder / "submission.zip").write_bytes(b"PK but not a zip")
    assert _run(tool, folder, pred=folder / "submission.zip") == (2, None)
    assert "cannot be read as a zip archive" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["small", "sparse", "crowded"])
def test_golden_score_despite_findings(tool, tmp_path, name):
    if not (GOLDEN / name).is_dir():
        pytest.skip(f"golden inputs of the released script are not here: {name}")
    report = tmp_path / "report.json"
    folders = [GOLDEN / name / "gt_dir", GOLDEN / name / "pred_dir"]
    assert tool.main(["--gt", str(folders[0]), "--pred", str(folders[1]), "--json", str(report)]) == 2
    expected = json.loads((GOLDEN / name / "expected.json").read_text())["thresholds"][0]
    assert json.loads(report.read_text())["score"] == pytest.approx(expected["score"], abs=1e-9)


def test_the_command_itself(folder):
    command = [sys.executable, ROOT / "tools" / "evaluate.py", "--gt", folder, "--pred", folder / "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
