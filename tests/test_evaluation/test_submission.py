import hashlib
import json
import zipfile

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.evaluation.functional import evaluate
from tpsparse.evaluation.submission import (
    part_result_of,
    part_truth_of,
    save_submission,
    video_result_of,
    video_truth_of,
    write_ground_truth,
    write_submission,
)
from tpsparse.evaluation.validation import validate_submission
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

NAN = [np.nan] * 4


def _frame(number=1, persons=1, **fields):
    boxes = np.array([[10 * i, 0, 10 * i + 9, 9] for i in range(persons)], dtype=np.float32)
    return FrameParse(number, boxes, **fields)


def _one(frame, taxonomy, convert=part_result_of):
    return convert([VideoParse("v", frames=[frame])], taxonomy)["v"]["img_00001.json"]["humans"]


def test_a_prediction_by_hand(taxonomy):
    frame = FrameParse(
        6,
        np.array([[0, 0, 9, 9], [1.006, 2, 33.333, 44]], dtype=np.float32),
        scores=np.array([0.4, 0.9]),
        part_boxes=np.array([[NAN, NAN, NAN], [[1, 2, 3, 4], NAN, [5, 6, 7.125, 8]]], dtype=np.float32),
        state_scores=np.eye(3)[[[0, 0, 0], [2, 1, 1]]],
    )
    parse = VideoParse("v", frames=[frame], action_scores={"action": np.array([0.1, 0.2, 0.7])})
    assert part_result_of([parse], taxonomy) == {
        "v": {
            "img_00006.json": {
                "humans": [
                    {
                        "number": 1,
                        "box": [1.01, 2.0, 33.33, 44.0],
                        "parts": {
                            "head": {"number": 1, "name": "head", "box": [[1.0, 2.0, 3.0, 4.0]], "verb": ["lift"]},
                            "right_arm": {
                                "number": 2,
                                "name": "right_arm",
                                "box": [[5.0, 6.0, 7.12, 8.0]],
                                "verb": ["bend"],
                            },
                        },
                    },
                    {"number": 2, "box": [0.0, 0.0, 9.0, 9.0], "parts": {}},
                ]
            }
        }
    }
    assert video_result_of([parse], taxonomy) == {"v": "hurling_(sport)"}


def test_a_ground_truth_has_one_box_and_one_state(taxonomy):
    # The left arm has a box but no state, the right arm a state but no box: neither is whole.
    boxes = np.array([[[1, 2, 3, 4], [1, 2, 3, 4], NAN]])
    frame = _frame(part_boxes=boxes, part_states=np.array([[1, -1, 0]]))
    (human,) = _one(frame, taxonomy, part_truth_of)
    assert human["parts"] == {"head": {"number": 1, "name": "head", "box": [1.0, 2.0, 3.0, 4.0], "verb": "bend"}}


def test_only_evaluated_frames_are_written(taxonomy):
    parse = VideoParse("v", frames=[_frame(number) for number in (1, 2, 5, 6, 11, 15)])
    for convert in (part_result_of, part_truth_of):
        assert list(convert([parse], taxonomy)["v"]) == ["img_00001.json", "img_00006.json", "img_00011.json"]


def test_a_frame_whose_annotation_is_missing_is_written_without_persons(taxonomy):
    frames = [_frame(number) for number in (6, 99_996, 100_006)]
    truth = part_truth_of([VideoParse("v", num_frames=100_010, frames=frames)], taxonomy)["v"]
    numbers = range(1, 100_007, 5)
    assert list(truth) == [f"img_{number:05d}.json" for number in numbers]
    assert [number for number, frame in zip(numbers, truth.values()) if frame["humans"]] == [6, 99_996, 100_006]
    assert list(part_truth_of([VideoParse("v", num_frames=11)], taxonomy)["v"]) == [
        "img_00001.json",
        "img_00006.json",
        "img_00011.json",
    ]
    # The length is not known, and a prediction is never filled up.
    assert list(part_truth_of([VideoParse("v", frames=frames[:1])], taxonomy)["v"]) == ["img_00006.json"]
    assert part_result_of([VideoParse("v", num_frames=11)], taxonomy) == {"v": {}}


def test_the_ten_most_certain_persons_are_written(taxonomy):
    scores = np.linspace(0, 1, 12)
    humans = _one(_frame(persons=12, scores=scores), taxonomy)
    assert [human["number"] for human in humans] == list(range(1, 11))
    assert [human["box"][0] for human in humans] == [10.0 * i for i in range(11, 1, -1)]
    # A ground truth keeps everybody, in the annotation's order.
    assert len(_one(_frame(persons=12, scores=scores), taxonomy, part_truth_of)) == 12


def test_persons_of_equal_score_keep_their_order(taxonomy):
    # So many that an unstable sort would not keep it by chance.
    humans = _one(_frame(persons=100, scores=np.full(100, 0.5)), taxonomy)
    assert [human["box"][0] for human in humans] == [10.0 * i for i in range(10)]


@pytest.mark.parametrize("bad", [NAN, [9, 0, 0, 9], [0, 9, 9, 0], [0, 0, np.inf, 9], [0, 0, 1e30, 9]])
def test_boxes_that_nothing_can_match_are_left_out(bad, taxonomy):
    boxes = np.array([bad, [0, 0, 9, 9]], dtype=np.float32)
    part_boxes = np.array([[[0, 0, 9, 9]] * 3, [bad, [0, 0, 0, 0], bad]], dtype=np.float32)
    frame = FrameParse(1, boxes, part_boxes=part_boxes, part_states=np.zeros((2, 3), dtype=int))
    for convert in (part_result_of, part_truth_of):
        (human,) = _one(frame, taxonomy, convert)
        assert human["box"] == [0.0, 0.0, 9.0, 9.0]
        assert list(human["parts"]) == ["left_arm"]


def test_no_persons_and_no_parts(taxonomy):
    assert _one(_frame(persons=0), taxonomy) == []
    assert _one(_frame(persons=0, part_boxes=np.zeros((0, 3, 4))), taxonomy) == []
    assert _one(_frame(), taxonomy)[0]["parts"] == {}


def test_a_failed_video_keeps_an_entry_and_is_reported(tmp_path, taxonomy, make_parse):
    parses = [
        VideoParse("broken", error="no frame could be decoded"),
        make_parse(np.random.default_rng(0), video="good"),
        VideoParse("shy", frames=[_frame()]),
    ]
    reports = write_submission(tmp_path, parses, taxonomy)
    assert [report.split(":")[0] for report in reports] == ["broken", "shy"]
    assert "no frame could be decoded" in reports[0]
    parts = json.loads((tmp_path / "pred_part_result.json").read_text())
    assert parts["broken"] == {}
    assert json.loads((tmp_path / "pred_vid_result.json").read_text()) == {
        "broken": "lunge",
        "good": "push_up",
        "shy": "lunge",
    }


def test_two_parses_of_one_video_are_refused(taxonomy):
    for convert in (part_result_of, video_result_of, part_truth_of):
        with pytest.raises(InputError, match="two parses are of the video v"):
            convert([VideoParse("v"), VideoParse("v")], taxonomy)


def test_names_outside_the_taxonomy_are_refused(taxonomy):
    with pytest.raises(InputError, match="v: action 4 is not among the 3"):
        video_result_of([VideoParse("v", action_scores={"action": np.eye(5)[4]})], taxonomy)
    frame = _frame(part_boxes=np.zeros((1, 3, 4)), part_states=np.full((1, 3), 9))
    with pytest.raises(InputError, match="v frame 1: state 9"):
        _one(frame, taxonomy)


def test_a_ground_truth_needs_actions(taxonomy):
    with pytest.raises(InputError, match="v has no annotated action"):
        video_truth_of([VideoParse("v")], taxonomy)


def test_the_truth_as_its_own_prediction_is_perfect(tmp_path, taxonomy, make_parse):
    rng = np.random.default_rng(0)
    parses = [make_parse(rng, video=f"v{i}", persons=i) for i in range(4)]
    write_submission(tmp_path, parses, taxonomy)
    write_ground_truth(tmp_path, parses, taxonomy)
    names = ("gt_part_result", "gt_vid_result", "pred_part_result", "pred_vid_result")
    contents = [json.loads((tmp_path / f"{name}.json").read_text()) for name in names]
    assert set(evaluate(*contents).psc.values()) == {1.0}
    gt_parts, gt_actions, *predictions = contents
    assert validate_submission(*predictions, gt_parts=gt_parts, gt_actions=gt_actions, taxonomy=taxonomy) == []
    assert Taxonomy.from_meta(json.loads((tmp_path / "taxonomy.json").read_text())) == taxonomy


def test_bytes_depend_on_the_content_alone(tmp_path, taxonomy, make_parse):
    parses = [make_parse(np.random.default_rng(i), video=f"v{i}") for i in range(3)]
    write_submission(tmp_path / "a", parses, taxonomy)
    write_submission(tmp_path / "b", parses[::-1], taxonomy)
    names = ["pred_part_result.json", "pred_vid_result.json", "submission.zip"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    digests = [
        [hashlib.sha256((tmp_path / folder / name).read_bytes()).hexdigest() for name in names] for folder in "ab"
    ]
    assert digests[0] == digests[1]
    with zipfile.ZipFile(tmp_path / "a" / "submission.zip") as archive:
        assert archive.namelist() == names[:2]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name in names[:2]:
            assert archive.read(name) == (tmp_path / "a" / name).read_bytes()


def test_an_invalid_submission_is_never_written(tmp_path, taxonomy):
    parts = {"v": {"img_00001.json": {"humans": [{"parts": {}}]}}}
    with pytest.raises(InputError, match=r"1 findings, the first: v img_00001.json humans\[0\].box"):
        save_submission(tmp_path, parts, {"v": "lunge"}, taxonomy=taxonomy, archive=tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, taxonomy, make_parse, monkeypatch):
    write_submission(tmp_path, [make_parse(np.random.default_rng(0))], taxonomy)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_args):
        raise OSError("the disk is full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="full"):
        write_submission(tmp_path, [make_parse(np.random.default_rng(0))], taxonomy)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
