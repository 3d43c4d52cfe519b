"""A split combined, with every number worked out by hand.

In each of the three evaluated frames of the drawn videos every person has all three parts: a system that has the head's
state wrong has a PSC of 2/3, which reaches 6,666 of the 9,999 thresholds.
"""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from tpsparse.ensemble import Combination, Member, Videos, write_recipe
from tpsparse.errors import InputError
from tpsparse.structures import VideoParse
from tpsparse.structures.parse import read_metadata

NAMES = ("lunge_test_0", "pull_ups_test_0", "push_up_test_0")
# By video, whose true actions are 0, 1, 2. A is right on the first two, B on the last two, half and half on all.
A = ([0.9, 0.1, 0], [0.1, 0.8, 0.1], [0, 0.6, 0.4])
B = ([0.4, 0.6, 0], [0.1, 0.7, 0.2], [0, 0.1, 0.9])


@pytest.fixture
def folders(save_records, make_record):
    """A has the head's state wrong, B has it right, with more certainty."""
    first = [make_record(video, dict(action=scores), head=0.4) for video, scores in zip(NAMES, A)]
    second = [make_record(video, dict(action=scores), head=0.9) for video, scores in zip(NAMES, B)]
    return save_records("a", first), save_records("b ü (2)", second)


def combine(folders, root, out, weights=(0.5, 0.5), **options):
    members = [Member(folder) for folder in folders]
    combination = Combination(members, np.array(weights), Videos(root, "test"), **options)
    return combination, combination.run(out)


def test_every_number(folders, tiny_root, tmp_path, find_leftovers):
    combination, outcome = combine(folders, tiny_root, tmp_path / "out")
    scores = outcome.scores
    assert [member["value"] for member in scores["members"]] == pytest.approx([2 / 3 * 0.6666, 2 / 3 * 0.9999])
    assert scores["ensemble"]["value"] == pytest.approx(0.9999)
    # All videos gain the same, so there is nothing to be uncertain of.
    assert scores["ensemble"]["low"] == scores["ensemble"]["high"] == pytest.approx(0.9999)
    assert scores["best"] == 1
    difference = scores["difference"]
    assert difference["value"] == pytest.approx(0.3333) and difference["low"] == pytest.approx(0)
    assert difference["high"] == pytest.approx(0.9999)
    # The metric that the test of a system uses says the same.
    assert outcome.metrics == pytest.approx({"tps/score": 0.9999, "tps/action_top1": 1.0, "tps/mean_psc": 1.0})
    reported = outcome.reported
    assert [member["top1"] for member in reported["members"]] == pytest.approx([2 / 3, 2 / 3])
    assert reported["members"][0]["cross_entropy"] == pytest.approx(-sum(map(math.log, (0.9, 0.8, 0.4))) / 3, rel=1e-6)
    assert reported["ensemble"] == reported["equal"]
    assert reported["equal"]["cross_entropy"] == pytest.approx(-sum(map(math.log, (0.65, 0.75, 0.65))) / 3, rel=1e-6)
    assert (outcome.failed, outcome.other_people, outcome.lost, outcome.notes()) == ({}, {}, [], [])
    assert find_leftovers(tmp_path) == []


def test_files(folders, tiny_root, tmp_path):
    out = tmp_path / "out"
    combination, outcome = combine(folders, tiny_root, out, (0.75, 0.25))
    write_recipe(out, combination, outcome, dict(found="given"))
    content = json.loads((out / "ensemble.json").read_text(encoding="utf-8"))
    assert content["members"] == [
        dict(folder=str(folder), source="action", weight=weight) for folder, weight in zip(folders, (0.75, 0.25))
    ]
    assert content["weights"] == dict(found="given") and content["split"] == "test"
    assert content["state_weights"] == {str(folders[0]): 0.75, str(folders[1]): 0.25}
    report = json.loads((out / "report.json").read_text())
    assert report["score"] == content["metrics"]["tps/score"] and report["skipped"] == {}
    assert report["sources"] == pytest.approx({"action": 1, "1/action": 2 / 3, "2/action": 2 / 3})
    actions = json.loads((out / "submission" / "pred_vid_result.json").read_text())
    # .75 * .6 + .25 * .1 = .475 for the second action against .525 for the third: right after all.
    assert actions == {"lunge_test_0": "lunge", "pull_ups_test_0": "pull_ups", "push_up_test_0": "push_up"}
    assert (out / "submission.zip").is_file() and (out / "ground_truth" / "gt_vid_result.json").is_file()
    saved = out / "parses" / "test" / "lunge_test_0.safetensors"
    assert json.loads(read_metadata(saved)["ensemble"])["members"] == content["members"]
    parse = VideoParse.load(saved)
    assert parse.action_scores["action"].tolist() == pytest.approx([0.775, 0.225, 0])
    # .75 * .4 + .25 * .9 = .525
    assert parse.frames[0].state_scores[0, 0].tolist() == pytest.approx([0.525, 0.475, 0])


def test_what_was_written_is_a_member_again(folders, tiny_root, tmp_path):
    combine(folders, tiny_root, tmp_path / "one")
    _, outcome = combine([tmp_path / "one" / "parses" / "test"], tiny_root, tmp_path / "two", (1.0,))
    assert outcome.scores["ensemble"]["value"] == pytest.approx(0.9999)
    assert outcome.scores["difference"] == pytest.approx(dict(value=0, low=0, high=0))


def test_state_weights_of_their_own(folders, tiny_root, tmp_path):
    # All states from A: the head is wrong.
    _, outcome = combine(folders, tiny_root, tmp_path / "out", state_weights=(1, 0))
    assert outcome.scores["ensemble"]["value"] == pytest.approx(0.6666)


def test_a_system_listed_twice_does_not_count_its_states_twice(save_records, make_record, tiny_root):
    make = {name: save_records(name, [make_record(NAMES[0], dict(action=A[0], swin=A[0]))]) for name in "ab"}
    members = [Member(make["a"]), Member(make["a"], "swin"), Member(make["b"])]
    combination = Combination(members, np.array([0.2, 0.4, 0.4]), Videos(tiny_root, "test"))
    assert combination.state_weights == pytest.approx([0.3, 0.4])
    assert list(combination.recipe()["state_weights"]) == [str(make["a"]), str(make["b"])]


def test_systems_are_in_the_order_of_their_first_member(save_records, make_record, tiny_root, tmp_path):
    """A, B and another source of A: all states, the persons and the unnumbered names are A's."""
    first = [make_record(NAMES[0], dict(action=A[0], swin=A[0]), head=0.4)]
    second = [make_record(NAMES[0], dict(action=B[0]), head=0.9, shift=0.25)]
    folders = save_records("a", first), save_records("b", second)
    members = [Member(folders[0]), Member(folders[1]), Member(folders[0], "swin")]
    combination = Combination(members, np.array([0.5, 0.2, 0.3]), Videos(tiny_root, "test"), state_weights=(1, 0))
    assert combination.recipe()["state_weights"] == {str(folders[0]): 1, str(folders[1]): 0}
    assert Combination(members, np.array([0.5, 0.2, 0.3]), Videos(tiny_root, "test")).state_weights == [0.4, 0.2]
    combination.run(tmp_path / "out")
    parse = VideoParse.load(tmp_path / "out" / "parses" / "test" / f"{NAMES[0]}.safetensors")
    assert parse.frames[0].state_scores[0, 0].tolist() == pytest.approx([0.4, 0.6, 0])
    assert np.array_equal(parse.frames[0].boxes, first[0].frames[0].boxes)
    assert sorted(parse.action_scores) == ["1/action", "2/action", "action", "swin"]


def test_other_people(folders, save_records, make_record, tiny_root, tmp_path):
    moved = [make_record(v, dict(action=s), head=0.9, shift=3 * (v == NAMES[0])) for v, s in zip(NAMES, B)]
    folder = save_records("moved", moved)
    _, outcome = combine((folders[0], folder), tiny_root, tmp_path / "out")
    assert outcome.other_people == {str(folder): [NAMES[0]]}
    assert outcome.notes() == [f"{folder} found other people in 1 videos: their states are the first member's alone"]
    # The head stays wrong in that video; all actions are right.
    assert outcome.scores["ensemble"]["value"] == pytest.approx((0.6666 + 2 * 0.9999) / 3)


def test_failed_videos(folders, save_records, make_record, tiny_root, tmp_path):
    kept = [make_record(video, dict(action=scores), head=0.9) for video, scores in zip(NAMES[:1], B)]
    # The second failed and says so; the third is not there at all, as a test leaves it.
    folder = save_records("failing", [*kept, VideoParse(NAMES[1], error="cut short")])
    _, outcome = combine((folders[0], folder), tiny_root, tmp_path / "out")
    failed = outcome.failed[f"{folder}:action"]
    assert failed[NAMES[1]] == "cut short" and "is missing" in failed[NAMES[2]] and len(failed) == 2
    assert outcome.lost == []
    assert f"{folder}:action has no vote on 2 videos, such as {NAMES[1]} (cut short)" in outcome.notes()
    # A alone on the last two, one of which it has right; of the first both, and so the head too.
    assert outcome.scores["ensemble"]["value"] == pytest.approx((0.9999 + 0.6666) / 3)
    # A video without a vote is as likely each action.
    assert outcome.reported["members"][1]["cross_entropy"] == pytest.approx(
        -(math.log(0.4) + 2 * math.log(1 / 3)) / 3, rel=1e-6
    )


def test_all_members_failed(folders, save_records, make_record, tiny_root, tmp_path):
    records = [make_record(NAMES[0], dict(action=A[0])), VideoParse(NAMES[1], error="cut short")]
    _, outcome = combine([save_records("c", records)], tiny_root, tmp_path / "out", (1.0,))
    assert outcome.lost == list(NAMES[1:])
    assert outcome.notes()[-1] == f"no member has a vote on 2 videos, such as {NAMES[1]}"
    assert VideoParse.load(tmp_path / "out" / "parses" / "test" / f"{NAMES[1]}.safetensors").error == "cut short"
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert set(report["skipped"]) == set(NAMES[1:])
    # What is not parsed is submitted with the first action and scores nothing.
    assert outcome.scores["ensemble"]["value"] == pytest.approx(0.9999 / 3)
    assert outcome.metrics["tps/score"] == pytest.approx(0.9999 / 3)


def test_videos_that_are_not_annotated(folders, tiny_copy, tmp_path):
    shutil.rmtree(tiny_copy / "test_annotations")
    _, outcome = combine(folders, tiny_copy, tmp_path / "out")
    assert outcome.scores is None and outcome.metrics == {"tps/action_top1": 1.0}
    assert outcome.reported["ensemble"]["top1"] == 1.0
    assert (tmp_path / "out" / "submission.zip").is_file()


def test_refused(folders, tiny_root, tmp_path):
    with pytest.raises(InputError, match="has no record of split train: give its own --split"):
        Combination([Member(folders[0])], np.ones(1), Videos(tiny_root, "train"))
    inside = tmp_path / "run" / "parses" / "test"
    inside.parent.mkdir(parents=True)
    folders[0].rename(inside)
    with pytest.raises(InputError, match="holds the records of a member: give another --out"):
        combine([inside], tiny_root, tmp_path / "run", (1.0,))
