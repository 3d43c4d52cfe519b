"""benchmarks/evaluate_submission.py, its peer and the submission that it scores."""

from __future__ import annotations

import copy
import gc
import json
from pathlib import Path

import pytest

from tpsparse.cli import DONE, run
from tpsparse.errors import InputError
from tpsparse.evaluation.validation import validate_submission
from tpsparse.taxonomy import Taxonomy

GOLDEN = Path(__file__).resolve().parents[2] / ".." / "shared" / "golden"
BOX, F1, F2 = [0, 0, 9, 9], "img_00001.json", "img_00006.json"


@pytest.fixture(scope="module")
def released_score(benchmark):
    return benchmark("released_score")


@pytest.fixture(scope="module")
def evaluate_submission(benchmark):
    return benchmark("evaluate_submission")


@pytest.fixture(scope="module")
def made(benchmark, tmp_path_factory):
    """A submission of three videos, and what is told of it."""
    folder = tmp_path_factory.mktemp("submission") / "ü (3)"
    return folder, benchmark("submission_content").make_submission(folder, videos=3, frames=12)


def _read(folder):
    names = ("gt_part_result", "gt_vid_result", "pred_part_result", "pred_vid_result")
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names}


@pytest.mark.parametrize("name", ["small", "sparse", "crowded"])
def test_peer_gives_the_released_scripts_results(released_score, name):
    folder = GOLDEN / name
    if not folder.is_dir():
        pytest.skip(f"golden inputs of the released script are not here: {name}")
    contents = released_score.read(folder / "gt_dir", folder / "pred_dir")
    expectations = json.loads((folder / "expected.json").read_text())["thresholds"]
    assert len(expectations) == 5
    for expected in expectations:
        found = released_score.score(contents, expected["human_iou"], expected["part_iou"])
        assert found["score"] == pytest.approx(expected["score"], abs=1e-12)
        assert found["psc"] == pytest.approx(expected["psc"], abs=1e-12)
        assert found["action_correct"] == {video: bool(right) for video, right in expected["action_correct"].items()}


def _person(box=BOX, **states):
    return {"box": box, "parts": {part: {"box": box, "verb": state} for part, state in states.items()}}


def _guess(box=BOX, **states):
    return {"box": box, "parts": {part: {"box": [box], "verb": [state]} for part, state in states.items()}}


@pytest.mark.parametrize(
    ("truth", "guess", "psc", "reason"),
    [
        ({F1: [_person(head="a", hip="a")]}, {F1: [_guess(head="a", hip="b")]}, 0.5, "one of two parts"),
        ({F1: [_person(head="a")], F2: [_person(head="a")]}, {F1: [_guess(head="a")]}, 0.5, "a missing frame is 0"),
        ({F1: [_person(head="a")], F2: []}, {F1: [_guess(head="a")], F2: []}, 1.0, "an empty frame leaves the average"),
        ({F1: [_person()]}, {F1: [_guess()]}, 1.0, "no part, so no frame counts"),
        ({F1: [_person(head="a")]}, {F1: []}, 0.0, "nobody is predicted"),
        ({F1: [_person(head="a")]}, {F1: [_guess([0, 0, 9, 4], head="a")]}, 0.0, "an IoU of exactly 0.5 is no match"),
        (
            {F1: [_person(head="a"), _person([50, 50, 59, 59], head="b")]},
            {F1: [_guess([50, 50, 59, 59], head="b")]},
            0.5,
            "the second annotated person has the first predicted one",
        ),
    ],
)
def test_peer_by_hand(released_score, truth, guess, psc, reason):
    truth, guess = ({name: {"humans": humans} for name, humans in frames.items()} for frames in (truth, guess))
    contents = dict(
        gt_part_result={"v": truth},
        gt_vid_result={"v": "x"},
        pred_part_result={"v": guess},
        pred_vid_result={"v": "x"},
    )
    found = released_score.score(contents)
    assert found["psc"] == {"v": psc}, reason
    # A PSC of t is reached by all thresholds up to t, of which the one of 1 is left out.
    assert found["score"] == pytest.approx(min(psc, 0.9999), abs=1e-9)
    wrong = released_score.score({**contents, "pred_vid_result": {"v": "y"}})
    assert wrong["score"] == 0 and wrong["action_correct"] == {"v": False}


def test_downloaded_script_in_place_of_the_peer(released_score, made, tmp_path, capsys):
    """The functions that are called, and in which order the contents are given."""
    script = tmp_path / "eval_detection.py"
    script.write_text(
        "def cal_task_acc(gt_vid, gt_part, pred_vid, pred_part, max_human_iou, max_part_iou):\n"
        "    assert len(gt_vid) == len(pred_vid) and set(gt_part) == set(pred_part) and max_part_iou == 0.25\n"
        "    return [[video, max_human_iou, int(action == pred_vid[video])] for video, action in gt_vid.items()]\n"
        "def cal_area(rows):\n"
        "    return 0.125 * len(rows)\n"
    )
    folder = str(made[0])
    options = ["--script", str(script), "--human-iou", "0.75", "--part-iou", "0.25"]
    assert released_score.main([folder, folder, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["score"] == 0.375 and set(found["psc"].values()) == {0.75}


def test_submission_is_sound(made, benchmark):
    folder, told = made
    contents = _read(folder)
    taxonomy = Taxonomy.from_meta(json.loads((folder / "taxonomy.json").read_text()))
    parts, actions = contents["pred_part_result"], contents["pred_vid_result"]
    truth = dict(gt_parts=contents["gt_part_result"], gt_actions=contents["gt_vid_result"])
    assert validate_submission(parts, actions, taxonomy=taxonomy, **truth) == []
    frames = [frame["humans"] for video in parts.values() for frame in video.values()]
    assert told["counts"]["pred_part_result"]["frames"] == len(frames) == 3 * 3  # frames 1, 6 and 11 of twelve
    assert told["counts"]["pred_part_result"]["persons"] == sum(map(len, frames)) > 0
    assert told["counts"]["pred_part_result"]["parts"] == 10 * sum(map(len, frames))


def test_submission_is_found_again_and_drawn_alike(made, benchmark, tmp_path):
    folder, told = made
    make = benchmark("submission_content").make_submission
    before = (folder / "pred_part_result.json").stat().st_mtime_ns
    assert make(folder, videos=3, frames=12) == told
    assert (folder / "pred_part_result.json").stat().st_mtime_ns == before
    make(tmp_path / "again", videos=3, frames=12)
    assert _read(tmp_path / "again") == _read(folder)
    # Another request is another submission, in the same place.
    assert make(tmp_path / "again", videos=2, frames=12)["videos"] == 2
    assert len(_read(tmp_path / "again")["gt_vid_result"]) == 2


def test_quick_run(evaluate_submission, tmp_path, capsys):
    file = tmp_path / "out.json"
    arguments = ["--quick", "--videos", "2", "--data", str(tmp_path / "data"), "--json", str(file)]
    assert run(evaluate_submission.main, arguments) == DONE
    tables = json.loads(file.read_text())["tables"]
    rows = {row["scored by"]: row for row in tables["Scoring a submission of 2 videos"]}
    assert rows[evaluate_submission.OURS]["score"] == rows[evaluate_submission.PEER]["score"]
    assert rows[evaluate_submission.PEER]["speed / the script"] == 1
    steps = {row["step"]: row for row in tables["Where the time of tools/evaluate.py goes"]}
    assert set(steps) == {*evaluate_submission.STEPS, evaluate_submission.REST}
    assert sum(row["share"] for row in steps.values()) == pytest.approx(1)
    assert steps["evaluate"]["seconds"] > 0 and len(tables["The same by functions, with a profiler"]) == 12
    assert "faster than the released script" in capsys.readouterr().out


def test_another_score_is_no_measurement(evaluate_submission):
    found = dict(score=0.5, psc=dict(v=0.25, w=0.75), action_correct=dict(v=True, w=False))
    other = copy.deepcopy(found)
    assert evaluate_submission.largest_difference(found, other) == 0
    other["psc"]["w"] = 0.75 + 1e-8
    assert evaluate_submission.largest_difference(found, other) == pytest.approx(1e-8)
    results = {evaluate_submission.OURS: [(None, found)], evaluate_submission.PEER: [(None, other)]}
    with pytest.raises(RuntimeError, match="differ by"):
        evaluate_submission.compared(results)
    other["action_correct"]["w"] = True
    with pytest.raises(RuntimeError, match="do not agree"):
        evaluate_submission.largest_difference(found, other)


def test_goal_by_hand(evaluate_submission):
    rows = [{"scored by": evaluate_submission.PEER, "speed / the script": 1.0}]
    for speed, met in ((1.25, "yes"), (1.0, "no")):
        row = {"scored by": evaluate_submission.OURS, "speed / the script": speed}
        [goal] = evaluate_submission.goal([row, *rows])
        assert goal["met"] == met and goal["measured"] == f"{speed:.2f} times"


def test_the_tool_looks_for_cycles_again_behind_it(evaluate_submission, made, tmp_path, capsys):
    tool = evaluate_submission.load_tool()
    assert gc.isenabled()
    tool.main(["--gt", str(made[0]), "--pred", str(made[0])])
    assert gc.isenabled()
    with pytest.raises(InputError):
        tool.main(["--gt", str(tmp_path), "--pred", str(tmp_path)])
    assert gc.isenabled()


@pytest.mark.parametrize("text", ["[NaN]", '"\\ud800"', "[1, 2]"], ids=["NaN", "half a character", "plain"])
def test_the_tool_reads_what_the_standard_library_reads(evaluate_submission, tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    assert repr(evaluate_submission.load_tool().read_json(file)) == repr(json.loads(text))
