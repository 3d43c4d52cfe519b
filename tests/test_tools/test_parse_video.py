"""tools/parse_video.py and the functions of ``tpsparse.apis`` below it, with random weights."""

from __future__ import annotations

import json
import shutil

import av
import numpy as np
import pytest


@pytest.fixture
def parse(run_tool, drawn, quick_work_dir, tmp_path):
    def call(*arguments, work_dir=quick_work_dir, system=drawn.QUICK_SYSTEM):
        return run_tool("parse_video", system, *arguments, "--out", tmp_path / "out", "--work-dir", work_dir)

    return call


@pytest.fixture
def clips(tiny_root, tmp_path):
    """A folder with a video that can be read and others that cannot."""
    folder = tmp_path / "clips"
    folder.mkdir()
    good = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
    shutil.copy(good, folder / "good.mp4")
    (folder / "empty.mp4").touch()
    (folder / "words.mp4").write_text("words")
    (folder / "short.mp4").write_bytes(good.read_bytes()[: good.stat().st_size * 2 // 3])
    return folder


def test_good_video(parse, clips, tmp_path, drawn, find_leftovers):
    assert parse(clips / "good.mp4", "--every", 5) == 0
    folder = tmp_path / "out" / "good"
    assert sorted(path.name for path in folder.iterdir()) == ["overlay.mp4", "parse.json"]
    content = json.loads((folder / "parse.json").read_text())
    # Every fifth frame, and those that the fusion looks at.
    assert {1, 6, 11} <= {frame["frame"] for frame in content["frames"]}
    assert content["num_frames"] == 12 and content["action"]["name"] in drawn.ACTIONS
    person = content["frames"][0]["persons"][0]
    assert set(person["parts"]) <= set(drawn.PARTS)
    with av.open(str(folder / "overlay.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == 12
    assert find_leftovers(tmp_path) == []


def test_record_and_threshold_of_states(parse, clips, tmp_path):
    """A record in the folder, and states of a lower probability than is the rule."""
    from tpsparse.structures import VideoParse

    assert parse(clips / "good.mp4", "--every", 6, "--record", "--min-state-score", 0) == 0
    folder = tmp_path / "out" / "good"
    assert sorted(path.name for path in folder.iterdir()) == ["overlay.mp4", "parse.json", "record.safetensors"]
    record, content = VideoParse.load(folder / "record.safetensors"), json.loads((folder / "parse.json").read_text())
    assert record.video == "good" and record.frame_indices == [frame["frame"] for frame in content["frames"]]
    person = content["frames"][0]["persons"][0]
    for part in person["parts"].values():  # softmax: all states are above 0
        assert len(part["states"]) > 1 and next(iter(part["states"])) == part["state"]
    assert person["parts"]
    assert parse(clips / "good.mp4", "--every", 12) == 0  # another parse, beside which that record would be wrong
    assert sorted(path.name for path in folder.iterdir()) == ["overlay.mp4", "parse.json"]


@pytest.mark.parametrize("value", ["-0.1", "1.1", "nan", "half"])
def test_threshold_that_is_no_probability(parse, clips, capsys, value):
    with pytest.raises(SystemExit) as ended:
        parse(clips / "good.mp4", f"--min-state-score={value}")
    assert ended.value.code == 2 and f"{value} is not a number from 0 to 1" in capsys.readouterr().err


def test_bad_videos_are_skipped_and_counted(parse, clips, tmp_path, capfd, find_leftovers):
    assert parse(clips, "--every", 12) == 3
    errors = capfd.readouterr().err
    for name, told in (("empty", "is empty"), ("words", "is not a video"), ("short", "is truncated")):
        assert sum(f"{name}.mp4 {told}" in line for line in errors.splitlines()) == 1
    assert "skipped 3 of 4 videos, listed above" in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"] and find_leftovers(tmp_path) == []


def test_a_video_that_cannot_be_encoded_again_is_skipped(parse, clips, tmp_path, capfd):
    """H.264's encoder refuses pictures this narrow, by an error that is FFmpeg's own."""
    odd = tmp_path / "narrow.mp4"
    with av.open(odd, "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 8, 900, "yuv420p"
        for _ in range(2):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((900, 8, 3), dtype=np.uint8), format="rgb24")))
        file.mux(stream.encode())
    assert parse(odd, clips / "good.mp4") == 3
    told = capfd.readouterr().err
    assert sum("narrow.mp4 cannot be drawn (" in line for line in told.splitlines()) == 1
    assert "encode it again or leave it out" in told and "skipped 1 of 2 videos, listed above" in told
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"]


def test_nothing_can_be_parsed(parse, clips, tmp_path, capfd):
    assert parse(clips / "empty.mp4", clips / "absent.mp4") == 2
    errors = capfd.readouterr().err
    assert "absent.mp4 is missing: check the path" in errors and "skipped 2 of 2 videos" in errors
    assert not (tmp_path / "out").exists()


def test_videos_of_one_name_get_folders_of_their_own(load_tool, tmp_path):
    from pathlib import Path

    folders = load_tool("parse_video")._folders(Path("out"), [Path("a/x.mp4"), Path("b/x.mp4"), Path("c/x_2.mp4")])
    assert len(set(folders)) == 3 and folders[0] == Path("out/x")


def test_folder_without_videos(parse, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    assert parse(tmp_path / "none") == 2
    assert "none has no video (.mp4" in capsys.readouterr().err


def test_network_config(parse, clips, drawn, capsys):
    assert parse(clips / "good.mp4", system=drawn.quick_config("part_parsing")) == 2
    assert "give a system config" in capsys.readouterr().err


@pytest.mark.parametrize("system", ["dap.py", "most_frequent.py"])
def test_absent_weights(parse, clips, tmp_path, capsys, drawn, system):
    assert parse(clips / "good.mp4", work_dir=tmp_path / "absent", system=drawn.QUICK_SYSTEM.with_name(system)) == 2
    error = capsys.readouterr().err
    assert "is missing: train it with" in error or "names no checkpoint" in error


def test_every_must_be_positive(parse, clips, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(clips / "good.mp4", "--every", 0)
    assert ended.value.code == 2 and "--every" in capsys.readouterr().err


def test_out_must_be_a_folder(run_tool, clips, drawn, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("parse_video", drawn.QUICK_SYSTEM, clips / "good.mp4", "--out", clips / "words.mp4")
    assert ended.value.code == 2 and "words.mp4 is not a folder: give another place" in capsys.readouterr().err


def test_option_that_cannot_be_built(parse, clips, capsys):
    assert parse(clips / "good.mp4", "--cfg-options", "model.typo=3") == 2
    assert "dap.py cannot be built (" in capsys.readouterr().err
