"""The row of stages as a model: which frames, in which windows, and what is read instead of parsed again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tpsparse.datasets.video import FrameStore, Video
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser, Stage, parser, passes
from tpsparse.parsing.network import fingerprint
from tpsparse.registry import STAGES
from tpsparse.structures.parse import read_metadata


@STAGES.register_module(force=True)
class Brightness(Stage):
    """One person a frame, whose score is the frame's brightness."""

    gives = ("boxes",)
    calls: list[int] = []

    def __init__(self, *, taxonomy, factor=1.0, config=None, checkpoint=None):
        self.factor = factor

    def parse_frames(self, images, frames):
        self.calls.append(len(images))
        for image, frame in zip(images, frames, strict=True):
            frame.boxes = np.array([[0, 0, 9, 9]], dtype=np.float32)
            frame.scores = np.array([image.mean() / 255 * self.factor], dtype=np.float32)


@STAGES.register_module(force=True)
class Wants(Stage):
    """Wants frames of its own; gives an action."""

    gives = ("action",)

    def __init__(self, *, numbers, taxonomy):
        self.numbers = numbers

    def frame_numbers(self, num_frames):
        return [number for number in self.numbers if number <= num_frames]

    def parse_video(self, video, parse):
        parse.action_scores["action"] = np.array([len(parse.frames), 0, 0], dtype=np.float32)


@STAGES.register_module(force=True)
class Depends(Stage):
    """Does nothing, and depends on something besides its config."""

    world: dict[str, str] = {}

    def __init__(self, *, on, taxonomy):
        self.depends_on = self.world[on]


@STAGES.register_module(force=True)
class Featured(Stage):
    """Gives features of frames and persons."""

    needs, gives = ("boxes",), ("feature:bright", "feature:dim")

    def __init__(self, *, taxonomy):
        pass

    def parse_frames(self, images, frames):
        for frame in frames:
            frame.features = {name: np.ones(2, dtype=np.float32) for name in ("bright", "dim")}
            frame.person_features = {"bright": np.ones((len(frame), 2), dtype=np.float32)}


@STAGES.register_module(force=True)
class Reads(Stage):
    """Reads a feature of all frames at the end."""

    reads = ("dim",)

    def __init__(self, *, taxonomy):
        pass


@STAGES.register_module(force=True)
class NeedsParts(Stage):
    needs = ("part_boxes",)

    def __init__(self, *, taxonomy):
        pass


@pytest.fixture(autouse=True)
def no_calls():
    Brightness.calls.clear()


@pytest.fixture
def make(tiny_taxonomy):
    def build(*stages, step=5, save_dir=None):
        stages = stages or (dict(type="Brightness"),)
        frames = dict(type="EveryFrame", step=step)
        return ActionParser(stages=list(stages), frames=frames, taxonomy=tiny_taxonomy.to_meta(), save_dir=save_dir)

    return build


@pytest.fixture
def clip(tiny_root, tmp_path):
    return shutil.copy(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4", tmp_path / "clip.mp4")


class TestRow:
    def test_unmet_need_is_refused_with_both_names(self, make):
        with pytest.raises(InputError, match="stage NeedsParts needs part_boxes, but the stages before it give boxes"):
            make(dict(type="Brightness"), dict(type="NeedsParts"))

    def test_absent_checkpoint(self, make, tmp_path):
        stage = dict(type="Brightness", config="net.py", checkpoint=str(tmp_path / "absent.pth"))
        with pytest.raises(InputError, match=r"absent\.pth is missing: train it with"):
            make(stage)

    def test_is_not_differentiable(self, make):
        with pytest.raises(NotImplementedError):
            make()(torch.zeros(1))


class TestFeatures:
    """Those that no stage will read are dropped where no record is kept: they would grow with the video."""

    def found(self, make, clip, *more, keep_features):
        parser = make(dict(type="Brightness"), dict(type="Featured"), *more)
        frames = parser.parse_video(Video(clip), keep_features=keep_features).frames
        return {frame.frame_index: (sorted(frame.features), sorted(frame.person_features)) for frame in frames}

    def test_all_are_kept(self, make, clip):
        assert self.found(make, clip, keep_features=True) == dict.fromkeys((1, 6, 11), (["bright", "dim"], ["bright"]))

    def test_none_is_needed(self, make, clip):
        assert self.found(make, clip, keep_features=False) == dict.fromkeys((1, 6, 11), ([], []))

    def test_those_of_frames_that_a_stage_asked_for_and_those_it_reads(self, make, clip):
        more = [dict(type="Wants", numbers=[6]), dict(type="Reads")]
        found = self.found(make, clip, *more, keep_features=False)
        assert found == {1: (["dim"], []), 6: (["bright", "dim"], ["bright"]), 11: (["dim"], [])}


class TestFrames:
    @pytest.mark.parametrize(
        ("numbers", "expected"),
        [([], [1, 6, 11]), ([6, 2, 2], [1, 2, 6, 11]), ([12, 99], [1, 6, 11, 12])],
    )
    def test_union(self, make, clip, numbers, expected):
        parse = make(dict(type="Brightness"), dict(type="Wants", numbers=numbers)).parse(clip)
        assert parse.frame_indices == expected and parse.action_scores["action"][0] == len(expected)

    def test_each_record_is_of_its_frame(self, make, clip):
        parse = make(step=1).parse(clip)
        expected = Video(clip).frames(range(1, 13)).reshape(12, -1).mean(axis=1) / 255
        np.testing.assert_allclose([frame.scores[0] for frame in parse.frames], expected, rtol=1e-5)
        assert (parse.video, parse.size, parse.num_frames, parse.fps) == ("clip", (64, 96), 12, 10.0)

    @pytest.mark.parametrize("kept", [True, False], ids=["kept whole", "decoded by windows"])
    @pytest.mark.parametrize(
        ("frames", "calls"), [(1, [1] * 12), (5, [5, 5, 2]), (12, [8, 4]), (16, [12]), (0, [1] * 12)]
    )
    def test_windows_equal_whole(self, make, clip, monkeypatch, kept, frames, calls):
        whole = make(step=1).parse(clip)
        Brightness.calls.clear()
        monkeypatch.setattr(passes, "WINDOW_BYTES", frames * 64 * 96 * 3)
        monkeypatch.setattr("tpsparse.datasets.video.FRAMES", FrameStore(10**9 if kept else 0))
        parse = make(step=1).parse(clip)
        assert Brightness.calls == calls
        assert [frame.scores[0] for frame in parse.frames] == [frame.scores[0] for frame in whole.frames]

    def test_neighbours_share_a_window(self, make, clip, monkeypatch):
        decoded = []
        windows = Video.windows
        monkeypatch.setattr(Video, "windows", lambda self, *args: decoded.append(1) or windows(self, *args))
        make(dict(type="Brightness"), dict(type="Brightness"), dict(type="Wants", numbers=[])).parse(clip)
        assert len(decoded) == 1 and Brightness.calls == [3, 3]

    def test_wrong_shapes_are_caught_at_their_stage(self, make, clip, monkeypatch):
        def wrong(self, images, frames):
            frames[0].boxes = np.zeros((2, 3))

        monkeypatch.setattr(Brightness, "parse_frames", wrong)
        with pytest.raises(ValueError, match=r"boxes has shape \(2, 3\)"):
            make().parse(clip)


class TestBadVideos:
    def test_record_holds_the_error(self, make, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"")
        parse = make(save_dir=tmp_path / "parses").parse(tmp_path / "a.mp4")
        assert parse.video == "a" and parse.frames == [] and "a.mp4 is empty" in parse.error
        assert not (tmp_path / "parses").exists()

    def test_others_of_the_batch_go_on(self, make, clip, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"")
        parses = make().test_step({"video": [str(tmp_path / "a.mp4"), str(clip)]})
        assert [parse.error is None for parse in parses] == [False, True]


class TestSaved:
    def parse(self, make, clip, folder, *stages, **kwargs):
        """How many windows were seen: none if the record was read."""
        Brightness.calls.clear()
        parse = make(*stages, save_dir=folder, **kwargs).parse(clip)
        assert parse.error is None and len(parse.frames) == 3
        return len(Brightness.calls)

    def test_is_read_back(self, make, clip, tmp_path):
        folder = tmp_path / "parses"
        first = make(save_dir=folder).parse(clip)
        assert self.parse(make, clip, folder) == 0
        again = make(save_dir=folder).parse(clip)
        assert [frame.scores.tolist() for frame in again.frames] == [frame.scores.tolist() for frame in first.frames]
        assert sorted(path.name for path in folder.iterdir()) == ["clip.safetensors"]

    def test_other_stages(self, make, clip, tmp_path):
        assert self.parse(make, clip, tmp_path / "p") == 1
        assert self.parse(make, clip, tmp_path / "p", dict(type="Brightness", factor=0.5)) == 1
        assert self.parse(make, clip, tmp_path / "p", dict(type="Brightness", factor=0.5)) == 0

    def test_other_video_of_the_same_name(self, make, clip, tmp_path, tiny_root):
        assert self.parse(make, clip, tmp_path / "p") == 1
        shutil.copy(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4", clip)
        assert self.parse(make, clip, tmp_path / "p") == 1

    def test_other_frames(self, make, clip, tmp_path):
        assert self.parse(make, clip, tmp_path / "p", step=5) == 1
        assert self.parse(make, clip, tmp_path / "p", step=4) == 1

    def test_other_weights(self, make, clip, tmp_path, drawn, tiny_root):
        config = drawn.quick_config("feature_fusion")
        stage = dict(type="Brightness", config=str(config), checkpoint=str(tmp_path / "run"))
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "last_checkpoint").write_text("epoch_1.pth")
        (tmp_path / "run" / "epoch_1.pth").write_bytes(b"one")
        assert self.parse(make, clip, tmp_path / "p", stage) == 1
        moved = shutil.move(tmp_path / "run", tmp_path / "moved")
        stage["checkpoint"] = str(moved)
        assert self.parse(make, clip, tmp_path / "p", stage) == 0  # the same weights elsewhere
        (tmp_path / "moved" / "epoch_1.pth").write_bytes(b"two")
        assert self.parse(make, clip, tmp_path / "p", stage) == 1

    @pytest.mark.parametrize("how", ["empty", "half", "not one", "arrays missing", "without stamp"])
    def test_broken_file(self, make, clip, tmp_path, how):
        assert self.parse(make, clip, tmp_path / "p") == 1
        path = tmp_path / "p" / "clip.safetensors"
        content = path.read_bytes()
        if how == "arrays missing":
            save_file({"boxes": np.zeros(1)}, path, read_metadata(path))
        elif how == "without stamp":
            save_file(load_file(path), path)
        else:
            path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "not one": b"words" * 50}[how])
        assert self.parse(make, clip, tmp_path / "p") == 1
        assert self.parse(make, clip, tmp_path / "p") == 0


class TestKept:
    """Records behind a stage, from which other rows that begin alike go on."""

    def rows(self, folder, factor=1.0):
        first = dict(type="Brightness", factor=factor, keep=str(folder))
        return [first], [first, dict(type="Wants", numbers=[])]

    def calls(self, make, clip, folder, *stages, **kwargs):
        Brightness.calls.clear()
        parse = make(*stages, save_dir=folder, **kwargs).parse(clip)
        assert parse.error is None
        return len(Brightness.calls), parse

    def test_another_row_goes_on_from_it(self, make, clip, tmp_path):
        short, long = self.rows(tmp_path / "kept")
        assert self.calls(make, clip, tmp_path / "a", *short)[0] == 1
        calls, parse = self.calls(make, clip, tmp_path / "b", *long)
        assert calls == 0 and parse.action_scores["action"].tolist() == [3, 0, 0]
        apart = make(dict(type="Brightness"), dict(type="Wants", numbers=[])).parse(clip)
        for name in ("boxes", "scores"):
            got, expected = ([getattr(frame, name) for frame in each.frames] for each in (parse, apart))
            np.testing.assert_array_equal(np.stack(got), np.stack(expected))

    def test_what_later_stages_add_is_not_in_it(self, make, clip, tmp_path):
        _, long = self.rows(tmp_path / "kept")
        self.calls(make, clip, tmp_path / "a", *long)
        [file] = (tmp_path / "kept").iterdir()
        assert "action_scores/action" not in load_file(file) and "frames/boxes" in load_file(file)

    def test_the_furthest_one_is_taken(self, make, clip, tmp_path):
        first = dict(type="Brightness", keep=str(tmp_path / "one"))
        second = dict(type="Brightness", factor=0.5, keep=str(tmp_path / "two"))
        assert self.calls(make, clip, tmp_path / "a", first, second)[0] == 2
        assert self.calls(make, clip, tmp_path / "b", first, second, dict(type="Wants", numbers=[]))[0] == 0
        shutil.rmtree(tmp_path / "two")
        assert self.calls(make, clip, tmp_path / "c", first, second, dict(type="Wants", numbers=[]))[0] == 1

    @pytest.mark.parametrize("other", ["stage", "frames", "video", "broken"])
    def test_one_of_something_else_is_made_again(self, make, clip, tmp_path, tiny_root, other):
        short, long = self.rows(tmp_path / "kept")
        self.calls(make, clip, tmp_path / "a", *short)
        if other == "stage":
            _, long = self.rows(tmp_path / "kept", factor=0.5)
        elif other == "video":
            shutil.copy(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4", clip)
        elif other == "broken":
            next((tmp_path / "kept").iterdir()).write_bytes(b"half")
        assert self.calls(make, clip, tmp_path / "b", *long, step=4 if other == "frames" else 5)[0] == 1

    def test_what_its_stages_depend_on_is_part_of_it(self, make, clip, tmp_path):
        """As a data set that is annotated anew: of a stage before the folder, not of one behind it."""

        def row(before="1", behind="1"):
            Depends.world.update(before=before, behind=behind)
            kept = dict(type="Depends", on="before", keep=str(tmp_path / "kept"))
            return [dict(type="Brightness"), kept, dict(type="Depends", on="behind")]

        assert self.calls(make, clip, tmp_path / "a", *row())[0] == 1
        assert self.calls(make, clip, tmp_path / "b", *row())[0] == 0
        assert self.calls(make, clip, tmp_path / "c", *row(behind="2"))[0] == 0
        assert self.calls(make, clip, tmp_path / "d", *row(before="2"))[0] == 1

    @pytest.mark.parametrize("other", ["kept", "./kept", "more/../kept"])
    def test_two_stages_with_one_folder(self, make, tmp_path, other):
        stages = [dict(type="Brightness", keep=f"{tmp_path}/{name}") for name in ("kept", other)]
        with pytest.raises(InputError, match=r"/kept is the keep folder of two stages of a row: give each its own"):
            make(*stages)

    def test_nothing_is_kept_where_no_record_is(self, make, clip, tmp_path):
        short, _ = self.rows(tmp_path / "kept")
        make(*short).parse(clip)
        assert not (tmp_path / "kept").exists()

    def test_the_folder_is_not_part_of_what_a_record_follows_from(self, make, clip, tmp_path):
        assert self.calls(make, clip, tmp_path / "a", *self.rows(tmp_path / "one")[0])[0] == 1
        assert self.calls(make, clip, tmp_path / "a", *self.rows(tmp_path / "two")[0])[0] == 0


STATES = """
data_root, train_split, group, seconds = "nowhere", "train", "head", 3.0
model = dict(type="X", num="@num_labels")
test_pipeline = []
test_dataloader = dict(dataset=dict(segments=dict(type="EqualSegments", seconds="@seconds")))
"""


def test_stamp_follows_how_a_state_recognizer_was_trained_and_cuts_videos(tiny_taxonomy, tmp_path):
    """Its labels are in its checkpoint, so no data set is needed."""
    config, weights = tmp_path / "states.py", tmp_path / "net.pth"
    weights.write_bytes(b"weights")

    def identity(text=STATES, **stage):
        config.write_text(text)
        stage = dict(type="ClassifySegments", config=str(config), checkpoint=str(weights), **stage)
        return fingerprint(parser._identity(stage, tiny_taxonomy))

    plain = identity()
    assert identity() == plain
    others = [
        identity(train_options=dict(group="arm")),
        identity(train_options=dict(seconds=10.0)),
        identity(STATES.replace("EqualSegments", "FrameSegments")),
        identity(segments=dict(type="EqualSegments")),
    ]
    assert len({plain, *others}) == 5
