from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tpsparse.errors import InputError
from tpsparse.structures import FrameObjects, FrameParse, SegmentScores, VideoParse
from tpsparse.structures.parse import read_metadata

PARTS, JOINTS, STATES, CHANNELS = 10, 17, 5, 8
ROW_FIELDS = ("boxes", "scores", "keypoints", "part_boxes", "part_scores", "state_scores", "part_states")


def full_frame(index: int, persons: int = 2, seed: int = 0) -> FrameParse:
    rng = np.random.default_rng(seed + index)

    def random(*shape: int) -> np.ndarray:
        return rng.random(shape, dtype=np.float32)

    part_boxes = random(persons, PARTS, 4)
    part_boxes[:, 3] = np.nan
    return FrameParse(
        frame_index=index,
        boxes=random(persons, 4),
        scores=random(persons),
        keypoints=random(persons, JOINTS, 3),
        part_boxes=part_boxes,
        part_scores=random(persons, PARTS),
        state_scores=random(persons, PARTS, STATES),
        part_states=rng.integers(-1, STATES, (persons, PARTS)),
        features={"context": random(CHANNELS)},
        person_features={"appearance": random(persons, CHANNELS)},
    )


def assert_same_frame(actual: FrameParse, expected: FrameParse) -> None:
    assert actual.frame_index == expected.frame_index
    for name in ROW_FIELDS:
        first, second = getattr(actual, name), getattr(expected, name)
        assert (first is None) == (second is None), name
        if first is not None:
            assert first.dtype == second.dtype, name
            np.testing.assert_array_equal(first, second, err_msg=name)
    for name in ("features", "person_features"):
        assert getattr(actual, name).keys() == getattr(expected, name).keys()
        for key, array in getattr(expected, name).items():
            np.testing.assert_array_equal(getattr(actual, name)[key], array)


def round_trip(parse: VideoParse, tmp_path) -> VideoParse:
    path = tmp_path / "deep" / "one.safetensors"
    parse.save(path)
    assert [file.name for file in path.parent.iterdir()] == ["one.safetensors"]
    return VideoParse.load(path)


# ---- one frame


def test_empty_list_of_boxes_is_no_persons():
    frame = FrameParse(1, [])
    assert len(frame) == 0
    assert frame.boxes.shape == (0, 4)
    assert frame.scores.shape == (0,)


def test_boxes_become_float32_and_scores_default_to_one():
    frame = FrameParse(1, [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert frame.boxes.dtype == np.float32
    assert frame.scores.tolist() == [1, 1]


@pytest.mark.parametrize("index", [0, -3])
def test_frames_are_numbered_from_one(index):
    with pytest.raises(ValueError, match="numbered from 1"):
        FrameParse(index, [])


@pytest.mark.parametrize("shape", [(4,), (2, 5), (1, 2, 4), (2, 8), (0, 5)])
def test_boxes_of_another_shape_are_refused_not_reshaped(shape):
    with pytest.raises(ValueError, match=r"boxes has shape"):
        FrameParse(1, np.zeros(shape))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("scores", (3,)),
        ("scores", (2, 1)),
        ("keypoints", (2, JOINTS, 2)),
        ("keypoints", (1, JOINTS, 3)),
        ("part_boxes", (2, 4)),
        ("part_boxes", (3, PARTS, 4)),
        ("part_boxes", (2, PARTS, 5)),
        ("part_scores", (2,)),
        ("part_scores", (2, PARTS - 1)),
        ("state_scores", (2, PARTS)),
        ("state_scores", (2, PARTS + 1, STATES)),
        ("part_states", (2, 1)),
        ("part_states", (1, PARTS)),
    ],
)
def test_fields_of_another_shape_are_refused_with_both_shapes(name, shape):
    given = {"boxes": np.zeros((2, 4)), "part_boxes": np.zeros((2, PARTS, 4)), name: np.zeros(shape)}
    with pytest.raises(ValueError, match=rf"{name}|part") as caught:
        FrameParse(1, **given)
    assert "expected (2, " in str(caught.value) or "expected (2)" in str(caught.value)


def test_parts_must_agree_without_part_boxes():
    with pytest.raises(ValueError, match="part_states has shape"):
        FrameParse(1, np.zeros((1, 4)), part_scores=np.zeros((1, 10)), part_states=np.zeros((1, 9)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("person_features", {"a": np.zeros((3, 8))}, r"person_features\['a'\] has shape \(3, 8\), expected \(2, any\)"),
        ("features", {"b": np.zeros((1, 8))}, r"features\['b'\] has shape \(1, 8\), expected \(any\)"),
    ],
)
def test_features_of_another_shape_are_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        FrameParse(1, np.zeros((2, 4)), **{name: value})


def test_check_sees_what_was_written_later():
    frame = FrameParse(1, np.zeros((2, 4)))
    frame.part_scores = np.zeros((1, PARTS))
    with pytest.raises(ValueError, match="part_scores"):
        frame.check()


@pytest.mark.parametrize("chosen", [np.array([1, 0]), np.array([False, True]), np.array([], dtype=int)])
def test_take_keeps_rows_in_the_given_order(chosen):
    frame = full_frame(6)
    taken = frame.take(chosen)
    rows = np.arange(2)[chosen]
    assert taken.frame_index == 6
    for name in ROW_FIELDS:
        np.testing.assert_array_equal(getattr(taken, name), getattr(frame, name)[rows])
    np.testing.assert_array_equal(taken.person_features["appearance"], frame.person_features["appearance"][rows])
    np.testing.assert_array_equal(taken.features["context"], frame.features["context"])


def test_take_leaves_unknown_fields_unknown():
    assert FrameParse(1, np.zeros((2, 4))).take(np.array([0])).part_boxes is None


def test_given_states_come_before_scores():
    frame = FrameParse(1, np.zeros((1, 4)), part_states=np.array([[2, -1]]), state_scores=np.ones((1, 2, 3)))
    assert frame.states().tolist() == [[2, -1]]


def test_states_are_the_most_probable_and_the_first_of_a_tie():
    scores = np.array([[[0.1, 0.7, 0.2], [0.4, 0.4, 0.2]]])
    assert FrameParse(1, np.zeros((1, 4)), state_scores=scores).states().tolist() == [[1, 0]]


def test_absent_parts_have_no_state():
    scores = np.array([[[0.1, 0.9], [0.1, 0.9], [np.nan, np.nan]]])
    part_boxes = np.array([[[0, 0, 1, 1], [np.nan] * 4, [0, 0, 1, 1]]])
    frame = FrameParse(1, np.zeros((1, 4)), part_boxes=part_boxes, state_scores=scores)
    assert frame.states().tolist() == [[1, -1, -1]]


def test_states_of_a_frame_that_has_none():
    with pytest.raises(ValueError, match="frame 7 has neither"):
        FrameParse(7, np.zeros((1, 4))).states()


# ---- one video


@pytest.mark.parametrize("numbers", [[6, 1], [1, 1]])
def test_frames_must_rise(numbers):
    with pytest.raises(ValueError, match="rising order"):
        VideoParse("clip", frames=[FrameParse(number, []) for number in numbers])


def test_action_is_the_systems_own():
    assert VideoParse("clip").action() is None
    assert VideoParse("clip", action_scores={"csn": np.array([1.0, 0.0])}).action() is None
    parse = VideoParse("clip", action_scores={"csn": np.array([1.0, 0.0]), "action": np.array([0.2, 0.8])})
    assert parse.action() == 1


def test_round_trip_of_everything(tmp_path):
    parse = VideoParse(
        "clip é",
        size=(240, 320),
        num_frames=150,
        fps=29.97,
        frames=[full_frame(1), full_frame(6, persons=0), full_frame(11, persons=3)],
        action_scores={"action": np.array([0.25, 0.75], np.float32), "csn": np.array([0.5, 0.5])},
        features={"clip/flow": np.arange(4, dtype=np.float32)},
    )
    loaded = round_trip(parse, tmp_path)
    assert (loaded.video, loaded.size, loaded.num_frames, loaded.fps) == ("clip é", (240, 320), 150, 29.97)
    assert loaded.error is None
    assert loaded.frame_indices == [1, 6, 11]
    for actual, expected in zip(loaded.frames, parse.frames):
        assert_same_frame(actual, expected)
    for name in ("action_scores", "features"):
        assert getattr(loaded, name).keys() == getattr(parse, name).keys()
        for key, array in getattr(parse, name).items():
            np.testing.assert_array_equal(getattr(loaded, name)[key], array)


def test_round_trip_of_objects(tmp_path):
    objects = [
        FrameObjects([[1, 2, 3, 4], [5, 6, 7, 8]], [0.5, 0.25], [3, 0]),
        FrameObjects.none(),
        FrameObjects([[9, 9, 10, 10]], [1], [74]),
    ]
    frames = [full_frame(1), full_frame(6, persons=0), full_frame(11)]
    for frame, given in zip(frames, objects):
        frame.objects = given
    loaded = round_trip(VideoParse("clip (1) é", frames=frames), tmp_path)
    for actual, expected in zip(loaded.frames, frames):
        assert_same_frame(actual, expected)
        for name in ("boxes", "scores", "labels"):
            first, second = getattr(actual.objects, name), getattr(expected.objects, name)
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)


def test_records_from_before_there_were_objects_are_read(tmp_path):
    path = tmp_path / "old.safetensors"
    VideoParse("clip", frames=[full_frame(1)]).save(path)
    assert not [name for name in load_file(path) if "objects" in name]
    assert VideoParse.load(path).frames[0].objects is None


def test_objects_of_some_frames_only_are_refused(tmp_path):
    frames = [full_frame(1), full_frame(6)]
    frames[1].objects = FrameObjects.none()
    with pytest.raises(ValueError, match=r"clip: objects are missing at the positions \[0\]"):
        VideoParse("clip", frames=frames).save(tmp_path / "one.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["num_objects", "objects/labels"])
def test_damaged_objects_are_named(tmp_path, change):
    path = tmp_path / "one.safetensors"
    frame = full_frame(1)
    frame.objects = FrameObjects([[1, 2, 3, 4], [5, 6, 7, 8]], [0.5, 0.25], [3, 0])
    VideoParse("clip", frames=[frame]).save(path)
    info, arrays = read_metadata(path), load_file(path)
    arrays[change] = arrays[change][:0]
    save_file(arrays, path, info)
    with pytest.raises(InputError, match=r"one\.safetensors is damaged"):
        VideoParse.load(path)


def test_take_keeps_the_objects_of_the_frame():
    frame = full_frame(1)
    frame.objects = FrameObjects([[1, 2, 3, 4]], [0.5], [3])
    assert frame.take(np.array([1])).objects is frame.objects


def test_round_trip_of_segments(tmp_path):
    rng = np.random.default_rng(0)
    segments = {
        "arm, ip-CSN (3 s)": SegmentScores([[1, 45], [46, 90]], rng.random((2, 3, 5), dtype=np.float32)),
        "a/b": SegmentScores([[1, 1], [6, 6], [11, 11]], rng.random((3, 3, 5), dtype=np.float32)),
    }
    loaded = round_trip(VideoParse("clip", segments=segments), tmp_path).segments
    assert loaded.keys() == segments.keys()
    for name, expected in segments.items():
        assert loaded[name].frames.dtype == np.int64 and loaded[name].scores.dtype == np.float32
        np.testing.assert_array_equal(loaded[name].frames, expected.frames)
        np.testing.assert_array_equal(loaded[name].scores, expected.scores)


def test_records_from_before_there_were_segments_are_read(tmp_path):
    path = tmp_path / "old.safetensors"
    VideoParse("clip", frames=[full_frame(1)]).save(path)
    assert not [name for name in load_file(path) if name.startswith("segment")]
    assert VideoParse.load(path).segments == {}


@pytest.mark.parametrize("change", ["no scores", "no frames", "fewer rows", "nan"])
def test_damaged_segments_are_named(tmp_path, change):
    path = tmp_path / "one.safetensors"
    VideoParse("clip", segments={"arm": SegmentScores([[1, 4], [5, 9]], np.ones((2, 3, 5)))}).save(path)
    info, arrays = read_metadata(path), load_file(path)
    if change in ("no scores", "no frames"):
        del arrays[f"segment_{change[3:]}/arm"]
    elif change == "fewer rows":
        arrays["segment_scores/arm"] = arrays["segment_scores/arm"][:1]
    else:
        arrays["segment_scores/arm"][1, 0, 0] = np.nan
    save_file(arrays, path, info)
    with pytest.raises(InputError, match=r"one\.safetensors is damaged"):
        VideoParse.load(path)


@pytest.mark.parametrize("given", ROW_FIELDS[2:])
def test_round_trip_of_each_optional_field_alone(tmp_path, given):
    frames = [full_frame(i) for i in (2, 4)]
    for frame in frames:
        for name in ROW_FIELDS[2:]:
            if name != given:
                setattr(frame, name, None)
        frame.features, frame.person_features = {}, {}
    for actual, expected in zip(round_trip(VideoParse("clip", frames=frames), tmp_path).frames, frames):
        assert_same_frame(actual, expected)


def test_round_trip_of_an_empty_video_with_its_error(tmp_path):
    loaded = round_trip(VideoParse("broken", error="cannot be decoded"), tmp_path)
    assert (loaded.video, loaded.error, loaded.frames, loaded.size) == ("broken", "cannot be decoded", [], (0, 0))


def test_round_trip_of_frames_without_any_person(tmp_path):
    loaded = round_trip(VideoParse("clip", frames=[FrameParse(1, []), FrameParse(6, [])]), tmp_path)
    assert [len(frame) for frame in loaded.frames] == [0, 0]
    assert loaded.frame_indices == [1, 6]


@pytest.mark.parametrize("place", [0, 1])
def test_frame_without_persons_may_lack_what_stages_give_persons(tmp_path, place):
    frames = [FrameParse(6, full_frame(6).boxes, part_boxes=full_frame(6).part_boxes)]
    frames[0].person_features["appearance"] = np.ones((2, 3), np.float32)
    frames.insert(place, FrameParse([1, 11][place], []))
    loaded = round_trip(VideoParse("clip", frames=frames), tmp_path)
    assert loaded.frames[place].part_boxes.shape == (0, PARTS, 4)
    assert loaded.frames[place].person_features["appearance"].shape == (0, 3)
    np.testing.assert_array_equal(loaded.frames[1 - place].part_boxes, full_frame(6).part_boxes)


@pytest.mark.parametrize("lacking", [0, 1])
@pytest.mark.parametrize("name", ["part_boxes", "features", "person_features"])
def test_field_of_some_frames_only_is_refused_not_dropped(tmp_path, lacking, name):
    frames = [full_frame(1), full_frame(6)]
    setattr(frames[lacking], name, None if name == "part_boxes" else {})
    with pytest.raises(ValueError, match=rf"missing in frames \[{[1, 6][lacking]}\]"):
        VideoParse("clip", frames=frames).save(tmp_path / "one.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_numpy_numbers_in_the_header_can_be_saved(tmp_path):
    parse = VideoParse("clip", size=tuple(np.array([240, 320])), num_frames=np.int64(7), fps=np.float32(25))
    loaded = round_trip(parse, tmp_path)
    assert (loaded.size, loaded.num_frames, loaded.fps) == ((240, 320), 7, 25.0)


def test_arrays_that_are_views_are_saved_as_they_read(tmp_path):
    table = np.arange(8, dtype=np.float32).reshape(4, 2)
    loaded = round_trip(VideoParse("clip", features={"column": table[:, 1]}), tmp_path)
    assert loaded.features["column"].tolist() == [1, 3, 5, 7]


def test_metadata_is_kept_beside_the_arrays(tmp_path):
    path = tmp_path / "one.safetensors"
    VideoParse("clip").save(path, {"fingerprint": "abc"})
    assert read_metadata(path)["fingerprint"] == "abc"


def test_equal_records_are_equal_files(tmp_path):
    """The library writes the strings of the header in another order each time."""
    written = set()
    for _ in range(8):
        parse = VideoParse('größe (1) "x"', frames=[FrameParse(1, [[0, 0, 1, 1]])], error="a\tb\x7f\U0001f600")
        parse.save(tmp_path / "a.safetensors", {"stamp": "ü", "more": "\\ \n"})
        written.add((tmp_path / "a.safetensors").read_bytes())
    assert len(written) == 1
    back = VideoParse.load(tmp_path / "a.safetensors")
    assert back.video == parse.video and back.error == parse.error and back.frames[0].boxes.tolist() == [[0, 0, 1, 1]]
    info = read_metadata(tmp_path / "a.safetensors")
    assert (info["stamp"], info["more"]) == ("ü", "\\ \n")


def test_saving_again_replaces(tmp_path):
    path = tmp_path / "one.safetensors"
    VideoParse("first").save(path)
    VideoParse("second").save(path)
    assert VideoParse.load(path).video == "second"


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "folder"])
def test_unreadable_files_are_named(tmp_path, damage):
    path = tmp_path / "one.safetensors"
    VideoParse("clip", frames=[full_frame(1)]).save(path)
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "text": b"hello, this is text", "truncated": content[:-100]}[damage])
    with pytest.raises(InputError, match=r"one\.safetensors"):
        VideoParse.load(path)


def test_other_format_version_is_refused(tmp_path):
    path = tmp_path / "one.safetensors"
    save_file({"a": np.zeros(1)}, path, {"format": "99"})
    with pytest.raises(InputError, match="has format 99, not 1"):
        VideoParse.load(path)


@pytest.mark.parametrize("change", ["no header", "bad header", "no counts", "fewer rows"])
def test_damaged_contents_are_named(tmp_path, change):
    path = tmp_path / "one.safetensors"
    VideoParse("clip", frames=[full_frame(1), full_frame(6)]).save(path)
    info, arrays = read_metadata(path), load_file(path)
    if change == "no header":
        del info["header"]
    elif change == "bad header":
        info["header"] = json.dumps({"videos": "clip"})
    elif change == "no counts":
        del arrays["num_persons"]
    else:
        arrays["frames/scores"] = arrays["frames/scores"][:-1]
    save_file(arrays, path, info)
    with pytest.raises(InputError, match=r"one\.safetensors is damaged"):
        VideoParse.load(path)
