from __future__ import annotations

import json

import numpy as np
import pytest
from mmengine.config import Config

from tpsparse.analysis.score.records import Annotated, Records, records_of
from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse

VIDEOS = ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"]


@pytest.fixture
def annotated(tiny_root, tiny_taxonomy):
    return Annotated.open(tiny_root, "test", tiny_taxonomy)


@pytest.fixture
def saved(tmp_path):
    """A folder with a record of each test video."""
    folder = tmp_path / "parses (é)"
    for name in VIDEOS:
        parse = VideoParse(name, (64, 96), 12, 10.0, [FrameParse(1, np.ones((2, 4)))], {"action": np.eye(3)[0]})
        parse.save(folder / f"{name}.safetensors")
    return folder


def config(**values):
    return Config(values, cfg_text="(as given)", filename="dap.py")


def test_annotated_videos(annotated):
    assert list(annotated.truths) == VIDEOS
    truth = annotated.truth("push_up_test_0")
    assert truth.action() == 2 and truth.frame_indices == list(range(1, 13)) and len(truth.frames[0]) == 2


def test_records_beside_annotations(annotated, saved):
    records = Records(saved, annotated, remedy="test it")
    assert len(records) == 3 and records.failed == []
    assert [(parse.video, truth.video) for parse, truth in records] == [(video, video) for video in VIDEOS]


@pytest.mark.parametrize("content", [None, b"", b"half a record"])
def test_incomplete(annotated, saved, content):
    for video in VIDEOS[:2]:
        path = saved / f"{video}.safetensors"
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Records(saved, annotated, remedy="run python tools/test.py dap.py")
    told = f"{saved} lacks the whole records of 2 of 3 videos (lunge_test_0, pull_ups_test_0): run python tools/test.py"
    assert str(caught.value).startswith(told)


def test_nothing_saved(annotated, tmp_path):
    with pytest.raises(InputError, match="lacks the whole records of 3 of 3 videos"):
        Records(tmp_path / "nothing", annotated, remedy="test it")


def test_many_missing_are_counted(annotated, tmp_path):
    many = Annotated(annotated.index, {f"v{i}": 0 for i in range(9)})
    with pytest.raises(InputError, match=r"9 of 9 videos \(v0, v1, v2 and 6 more\)"):
        Records(tmp_path, many, remedy="test it")


def test_unreadable_video_counts_as_empty(tiny_copy, tiny_taxonomy, saved):
    (tiny_copy / "test_videos" / "lunge" / "lunge_test_0.mp4").write_text("not a video")
    (saved / "lunge_test_0.safetensors").unlink()
    records = Records(saved, Annotated.open(tiny_copy, "test", tiny_taxonomy), remedy="test it")
    assert records.failed == ["lunge_test_0"] and len(records) == 3
    parse, truth = next(iter(records))
    assert parse.frames == [] and parse.error is not None and len(truth.frames) == 12


class TestConfig:
    def test_skipped_videos_are_in_the_report(self, annotated, saved):
        (saved / "lunge_test_0.safetensors").unlink()
        cfg = config(model=dict(save_dir=str(saved)), test_evaluator=dict(out_dir=str(saved)))
        with pytest.raises(InputError, match="lunge_test_0"):
            records_of(cfg, annotated, command="test it")
        (saved / "report.json").write_text(json.dumps({"skipped": {"lunge_test_0": "decoding ended at frame 3"}}))
        records = records_of(cfg, annotated, command="test it")
        assert records.failed == ["lunge_test_0"]
        assert records.read("lunge_test_0").error == "decoding ended at frame 3"
        # One that was parsed after all is read.
        VideoParse("lunge_test_0", frames=[FrameParse(1, np.ones((1, 4)))]).save(saved / "lunge_test_0.safetensors")
        assert records_of(cfg, annotated, command="test it").failed == []

    @pytest.mark.parametrize("content", ["{", "[]", "{}", '{"skipped": 3}'])
    def test_broken_report(self, annotated, saved, content):
        (saved / "report.json").write_text(content)
        cfg = config(model=dict(save_dir=str(saved)), test_evaluator=dict(out_dir=str(saved)))
        with pytest.raises(InputError, match=r"report\.json is not the report of a test .*: test the system again"):
            records_of(cfg, annotated, command="test it")

    def test_config_that_keeps_no_records(self, annotated):
        with pytest.raises(InputError, match=r"config dap\.py keeps no records: .* model.save_dir=DIR"):
            records_of(config(model=dict(save_dir=None)), annotated, command="test it")
        with pytest.raises(InputError, match="model.save_dir=DIR among its --cfg-options, and give --against DIR"):
            records_of(config(model={}), annotated, command="test it", then="give --against DIR")


def test_no_annotated_video(tiny_copy, tiny_taxonomy):
    import shutil

    shutil.rmtree(tiny_copy / "test_annotations")
    with pytest.raises(InputError):
        Annotated.open(tiny_copy, "test", tiny_taxonomy)
