"""tools/ensemble.py: given, equal and fitted weights, the table, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny import NUM_FRAMES, SIZE

from tpsparse.datasets.index import open_index
from tpsparse.structures import VideoParse

TEST = ("lunge_test_0", "pull_ups_test_0", "push_up_test_0")
TRAIN = tuple(f"{action}_train_{i}" for action in ("lunge", "pull_ups", "push_up") for i in (0, 1))
GOOD, POOR, WRONG = 0.8, 0.4, 0.1


def scores(video: str, right: float) -> np.ndarray:
    """``right`` for the true action, the rest shared by the others."""
    true = ("lunge", "pull_ups", "push_up").index(video.rsplit("_", 2)[0])
    return np.where(np.arange(3) == true, right, (1 - right) / 2).astype(np.float32)


@pytest.fixture
def save(tmp_path, tiny_root, tiny_taxonomy):
    """Records with the annotated people; each source gives the true action these scores, video by video."""
    known = {}
    for split in ("train", "test"):
        index = open_index(tiny_root, split, tiny_taxonomy)
        known.update({entry.name: index.ground_truth(i).frames for i, entry in enumerate(index.videos)})

    def call(name: str, videos, failed=(), **sources) -> Path:
        folder = tmp_path / name
        for number, video in enumerate(videos):
            given = {source: scores(video, right[number % len(right)]) for source, right in sources.items()}
            parse = VideoParse(video, SIZE, NUM_FRAMES, 10.0, known[video], given)
            record = VideoParse(video, error="cut short") if video in failed else parse
            record.save(folder / f"{video}.safetensors")
        return folder

    return call


@pytest.fixture
def tool(run_tool, tiny_root, tmp_path):
    def call(*arguments, root=tiny_root):
        return run_tool("ensemble", *arguments, "--data-root", root, "--out", tmp_path / "out")

    return call


def recipe(tmp_path):
    return json.loads((tmp_path / "out" / "ensemble.json").read_text(encoding="utf-8"))


def test_given_weights(tool, save, tmp_path, capsys, find_leftovers):
    first = save("a [bold]", TEST, action=[GOOD, GOOD, WRONG])
    second = save("b", TEST, action=[WRONG], swin=[POOR, POOR, GOOD])
    assert tool(first, f"{second}:swin", "--weights", 3, 2) == 0
    content = recipe(tmp_path)
    assert [member["weight"] for member in content["members"]] == [0.6, 0.4]
    assert [member["source"] for member in content["members"]] == ["action", "swin"]
    # .6 * .1 + .4 * .8 = .38 against .6 * .45 + .4 * .1 = .31 on the last.
    assert content["metrics"] == pytest.approx({"tps/score": 0.9999, "tps/action_top1": 1, "tps/mean_psc": 1})
    out = capsys.readouterr().out
    assert "given weights" in out and "equal weights" in out and "0.9999 [0.9999, 0.9999]" in out
    assert f"2  {second}:swin\n" in out and "difference to the best member, 2: 0.0000 [0.0000, 0.0000]" in out
    assert find_leftovers(tmp_path) == []


def test_equal_weights_by_default_and_other_order_is_the_same(tool, save, tmp_path):
    folders = [save(name, TEST, action=[right]) for name, right in (("a", GOOD), ("b", POOR), ("c", WRONG))]
    assert tool(*folders) == 0
    first = recipe(tmp_path)
    assert [member["weight"] for member in first["members"]] == [1 / 3] * 3 and first["weights"] == {"found": "equal"}
    assert tool(*reversed(folders)) == 0
    assert recipe(tmp_path)["reported"]["ensemble"] == pytest.approx(first["reported"]["ensemble"])


def test_fitted_weights(tool, save, tmp_path, capsys):
    """A is good on half of the held-out videos, B on the other half, C on none: half and half and nothing."""
    members = [save(name, TEST, frame=[POOR]) for name in "abc"]
    fit = [
        save("fit a", TRAIN, frame=[GOOD, WRONG]),
        save("fit b", TRAIN, frame=[WRONG, GOOD]),
        save("fit c", TRAIN, frame=[WRONG]),
    ]
    assert tool(*(f"{m}:frame" for m in members), "--fit", *fit, "--fit-split", "train") == 0
    content = recipe(tmp_path)
    assert [member["weight"] for member in content["members"]] == pytest.approx([0.5, 0.5, 0], abs=1e-5)
    held_out = content["weights"]["fit"]
    assert content["weights"]["found"] == "fitted" and held_out["split"] == "train" and held_out["videos"] == 6
    assert [member["top1"] for member in held_out["members"]] == [0.5, 0.5, 0.0]
    assert held_out["ensemble"]["cross_entropy"] == pytest.approx(-np.log(0.45), abs=1e-6)
    assert held_out["ensemble"]["cross_entropy"] < held_out["equal"]["cross_entropy"]
    out = capsys.readouterr().out
    # Nobody has said what the networks were trained on.
    assert "fitted weights" in out and "fit\n" not in out and "6 fit videos, 3 reported videos" in out
    assert "held" not in out and held_out["train_split"] is None


def test_failed_videos_are_told_and_the_others_vote(tool, save, tmp_path, capsys):
    first = save("a", TEST, failed=[TEST[1]], action=[GOOD])
    second = save("b", TEST, action=[POOR])
    assert tool(first, second) == 3
    error = capsys.readouterr().err
    assert f"{first}:action has no vote on 1 videos, such as pull_ups_test_0 (cut short)" in error
    assert recipe(tmp_path)["metrics"]["tps/action_top1"] == 1
    assert recipe(tmp_path)["failed"] == {f"{first}:action": {"pull_ups_test_0": "cut short"}}


def test_held_out_videos_that_failed(tool, save, capsys):
    member, fit = save("a", TEST, action=[GOOD]), save("fit", TRAIN, failed=[TRAIN[2]], action=[GOOD])
    assert tool(member, "--fit", fit, "--fit-split", "train") == 3
    assert "1 videos of train were left out of the fit, such as pull_ups_train_0" in capsys.readouterr().err


def test_fit_videos_without_a_record(tool, save, tmp_path, capsys):
    member, fit = save("a", TEST, action=[GOOD]), save("fit", TRAIN[1:], action=[GOOD])
    assert tool(member, "--fit", fit, "--fit-split", "train") == 3
    assert "1 videos of train were left out of the fit, such as lunge_train_0" in capsys.readouterr().err
    assert recipe(tmp_path)["weights"]["fit"]["left_out"] == ["lunge_train_0"]


@pytest.fixture
def halves(tiny_copy):
    """Of each action, the first training video is trained on and the second is held out."""
    videos = {
        subset: [f"{name.rsplit('_', 2)[0]}/{name}.mp4" for name in TRAIN[i::2]]
        for i, subset in enumerate(("train", "val"))
    }
    (tiny_copy / "splits").mkdir()
    (tiny_copy / "splits" / "half.json").write_text(json.dumps({"subsets": videos}))
    return tiny_copy


def test_fit_on_videos_that_were_checked(tool, save, halves, tmp_path, capsys):
    member, fit = save("a", TEST, action=[GOOD]), save("fit", TRAIN[1::2], action=[GOOD])
    arguments = (member, "--fit", fit, "--fit-split", "half/val", "--train-split")
    assert tool(*arguments, "half/train", root=halves) == 0
    assert "3 held-out videos, 3 reported videos" in capsys.readouterr().out
    assert recipe(tmp_path)["weights"]["fit"]["train_split"] == "half/train"


def test_fit_on_videos_of_the_training(tool, save, halves, tmp_path, capsys):
    member, fit = save("a", TEST, action=[GOOD]), save("fit", TRAIN, action=[GOOD])
    assert tool(member, "--fit", fit, "--fit-split", "train", "--train-split", "half/train", root=halves) == 2
    told = "is to be fitted on lunge_train_0, pull_ups_train_0, push_up_train_0, which networks are trained on: fit on"
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["out/parses/test", "out/parses/val"])
def test_out_that_holds_the_records_of_the_fit(tool, save, tmp_path, capsys, place):
    member, fit = save("a", TEST, action=[GOOD]), save(place, TRAIN, action=[GOOD])
    assert tool(member, "--fit", fit, "--fit-split", "train") == 2
    assert "holds the records of --fit: give another --out" in capsys.readouterr().err
    assert len(list(fit.iterdir())) == 6 and {path.name for path in (tmp_path / "out").iterdir()} == {"parses"}


def test_test_videos_without_annotation(tool, save, tiny_copy, tmp_path, capsys):
    shutil.rmtree(tiny_copy / "test_annotations")
    assert tool(save("a", TEST, action=[GOOD]), root=tiny_copy) == 0
    assert (tmp_path / "out" / "submission.zip").is_file() and recipe(tmp_path)["scores"] is None
    assert "difference" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{a}", "{b}", "--weights", "1"], "error: --weights has 1 numbers for 2 members: give one each"),
        (["{a}", "{b}", "--weights", "1", "-1"], "error: --weights 1.0 -1.0 must not be negative, nor all zero"),
        (["{a}", "{b}", "--weights", "0", "0"], "nor all zero: correct them"),
        (["{a}", "{a}:swin", "--state-weights", "1", "1"], "error: --state-weights has 2 numbers for 1 folders"),
        (["{a}:flow"], "a has no action scores named flow: give one of those there are (action, swin)"),
        (["{a}", "{b}", "--fit", "{fit}", "--fit-split", "train"], "error: --fit has 1 folders for 2 members"),
        (["{a}:swin", "--fit", "{fit}:action", "--fit-split", "train"], "give both the same SOURCE, in the same order"),
        (["{a}", "--fit", "{a}", "--fit-split", "test"], "is to be fitted on lunge_test_0, pull_ups_test_0, push_up_"),
        (["{a}", "--fit", "{fit}", "--fit-split", "dap/val"], "dap.json"),
        (["{a}", "--split", "train"], "a has no record of split train: give its own --split"),
        (["{a}/nowhere"], "is no folder of saved parses"),
    ],
    ids=[
        "too few weights",
        "negative",
        "all zero",
        "state weights",
        "source",
        "fit count",
        "fit source",
        "fit on reported",
        "no such split",
        "other split",
        "no folder",
    ],
)
def test_refused(tool, save, tmp_path, capsys, arguments, told):
    places = dict(
        a=save("a", TEST, action=[GOOD], swin=[POOR]),
        b=save("b", TEST, action=[POOR]),
        fit=save("fit", TRAIN, action=[GOOD], swin=[POOR]),
    )
    assert tool(*(argument.format(**places) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "--fit", "b"],
        ["a", "--fit-split", "dap/val"],
        ["a", "--train-split", "dap/train"],
        ["a", "--weights", "1", "--fit", "b", "--fit-split", "x"],
    ],
)
def test_options_that_do_not_go_together(tool, arguments):
    with pytest.raises(SystemExit, match="2"):
        tool(*arguments)
