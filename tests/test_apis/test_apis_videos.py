from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tpsparse import apis
from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser


@pytest.fixture(scope="module")
def system(drawn, quick_work_dir):
    return apis.build_parser(drawn.QUICK_SYSTEM, work_dir=quick_work_dir, frame_step=6)


class TestBuildParser:
    def test_names_come_with_the_weights(self, system, tiny_taxonomy):
        parser, taxonomy = system
        assert isinstance(parser, ActionParser) and taxonomy == tiny_taxonomy and parser.save_dir is None

    def test_network_is_refused(self, drawn, quick_work_dir):
        with pytest.raises(InputError, match="is of one network: give a system config"):
            apis.build_parser(drawn.quick_config("part_parsing"), work_dir=quick_work_dir)


class TestParseVideo:
    def test_record(self, system, tiny_root):
        parse = apis.parse_video(system[0], tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")
        assert parse.error is None and {1, 7} <= set(parse.frame_indices)
        assert set(parse.action_scores) == {"frame", "instance", "timesformer", "swin", "fusion", "action"}
        mean = np.mean([scores for name, scores in parse.action_scores.items() if name != "action"], axis=0)
        np.testing.assert_allclose(parse.action_scores["action"], mean, rtol=1e-4)

    @pytest.mark.parametrize("content", [None, b"", b"words"])
    def test_that_cannot_be_read(self, system, tmp_path, content):
        if content is not None:
            (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.mp4"):
            apis.parse_video(system[0], tmp_path / "a.mp4")
        with pytest.raises(InputError, match=r"a\.mp4"):
            apis.parse_to_folder(*system, tmp_path / "a.mp4", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_to_folder(self, system, tiny_root, tmp_path):
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        parse = apis.parse_to_folder(*system, path, tmp_path / "out")
        written = json.loads((tmp_path / "out" / "parse.json").read_text())
        assert [frame["frame"] for frame in written["frames"]] == parse.frame_indices
        assert (tmp_path / "out" / "overlay.mp4").stat().st_size > 0

    @pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
    def test_to_folder_without_a_frame_rate(self, system, tiny_root, tmp_path, monkeypatch, fps):
        monkeypatch.setattr(apis.videos, "Video", lambda path: with_fps(Video(path), fps))
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        apis.parse_to_folder(*system, path, tmp_path / "out")
        assert json.loads((tmp_path / "out" / "parse.json").read_text())["fps"] == 0
        assert Video(tmp_path / "out" / "overlay.mp4").fps == 25

    @pytest.mark.parametrize("kept", [True, False])
    def test_to_folder_that_cannot_be_drawn(self, system, tiny_root, tmp_path, monkeypatch, kept):
        if kept:
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "mine.txt").touch()
        frames = [np.zeros((*size, 3), np.uint8) for size in ((64, 96), (64, 96), (32, 48))]
        monkeypatch.setattr(apis.videos, "frames_of", lambda video: iter(frames))
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        with pytest.raises(InputError, match=r"lunge_test_0\.mp4 cannot be drawn \(.*\): encode it again or leave"):
            apis.parse_to_folder(*system, path, tmp_path / "out")
        assert [path.name for path in tmp_path.glob("out/*")] == (["mine.txt"] if kept else [])
        assert (tmp_path / "out").exists() is kept


def with_fps(video, fps):
    video.fps = fps
    return video


class TestObjectsOfASystem:
    """Its first network was trained when the list of objects was another, which does not matter to it."""

    def leave(self, folder, name, taxonomy):
        (folder / name).mkdir(parents=True)
        meta = {} if taxonomy is None else {"dataset_meta": {"taxonomy": taxonomy}}
        torch.save({"meta": meta, "state_dict": {}}, folder / name / "epoch_1.pth")
        (folder / name / "last_checkpoint").write_text("epoch_1.pth")

    @pytest.mark.parametrize(
        ("objects", "expected"),
        [
            ((["old"], ["rope", "bar"], ["later"]), ("rope", "bar")),
            ((None, ["rope"], ["later"]), ("rope",)),
            (([], None, ["later"]), ("later",)),
            ((["old"], [], ["later"]), ()),
            ((["old"], None, None), ("old",)),
        ],
    )
    def test_of_the_first_that_uses_them(self, drawn, tmp_path, tiny_taxonomy, objects, expected):
        config = drawn.QUICK / "systems" / "scu.py"
        stages = [stage for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages if "config" in stage]
        assert [stage.type for stage in stages][:3] == ["DetectPersons", "DetectPartsAndObjects", "ParsePartStates"]
        for stage, names in zip(stages, (*objects, None), strict=True):
            known = None if names is None else tiny_taxonomy.to_meta() | dict(objects=names)
            self.leave(tmp_path, Path(stage.config).stem, known)
        found = apis.videos._trained_taxonomy(config, tmp_path, None)
        assert found.objects == expected and found.states == tiny_taxonomy.states

    def test_no_more_weights_are_read_than_are_asked(self, drawn, tmp_path, tiny_taxonomy, monkeypatch):
        """A system without objects, as DAP, is asked for its names once, however many networks it has."""
        config = drawn.QUICK_SYSTEM
        for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages:
            if "config" in stage:
                self.leave(tmp_path, Path(stage.config).stem, tiny_taxonomy.to_meta())
        read, asked = apis.videos.read_checkpoint, []
        monkeypatch.setattr(apis.videos, "read_checkpoint", lambda path: asked.append(path) or read(path))
        assert apis.videos._trained_taxonomy(config, tmp_path, None) == tiny_taxonomy
        assert len(asked) == 1

    def test_no_names_at_all(self, drawn, tmp_path, tiny_taxonomy):
        config = drawn.QUICK / "systems" / "scu.py"
        for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages:
            if "config" in stage:
                self.leave(tmp_path, Path(stage.config).stem, None)
        with pytest.raises(InputError, match="names no checkpoint that knows its labels"):
            apis.videos._trained_taxonomy(config, tmp_path, None)
