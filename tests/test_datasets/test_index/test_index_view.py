"""The index of the drawn data set, whole and broken, as data sets see it. K = 3 parts."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest

from tpsparse.datasets.index import open_index
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

VIDEO = "push_up_train_0"


def read(root, split="train"):
    return open_index(root, split, Taxonomy.from_root(root))


def problems(index) -> list[tuple[str, str, str]]:
    return [(problem.skipped, problem.path.name, problem.message) for problem in index.problems]


def annotation(root, frame=1):
    return root / "train_annotations" / "push_up" / VIDEO / f"img_{frame:05d}.json"


def change(path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


class TestWhole:
    def test_videos(self, tiny_root, drawn):
        index = read(tiny_root)
        names = [f"{action}_train_{number}" for action in drawn.ACTIONS for number in range(2)]
        assert [entry.name for entry in index.videos] == names
        assert [entry.action for entry in index.videos] == [0, 0, 1, 1, 2, 2]
        assert {(entry.num_frames, entry.size, entry.fps) for entry in index.videos} == {(12, drawn.SIZE, drawn.FPS)}
        assert len(index.problems) == 0 and index.broken == []

    def test_columns_equal_what_was_drawn(self, tiny_root, drawn):
        index = read(tiny_root, "test")
        row = 0
        for video, action in enumerate(drawn.ACTIONS):
            for frame in range(1, drawn.NUM_FRAMES + 1):
                at = index.videos[video].frames[frame - 1]
                assert (index.frame_video[at], index.frame_number[at]) == (video, frame)
                assert index.video_of(at) == index.videos[video]
                persons = index.persons_of(at)
                assert persons.stop - persons.start == drawn.num_persons(action)
                for person in range(drawn.num_persons(action)):
                    assert index.persons[row] == persons.start + person
                    self.check_person(index, index.persons[row], drawn, action, frame, person)
                    row += 1
        assert row == len(index.persons) == 12 * (1 + 1 + 2)

    def check_person(self, index, row, drawn, action, frame, person):
        box = drawn.person_box(action, frame, person)
        assert index.boxes[row].tolist() == box
        boxes, states = index.person_parts(row)
        for part, name in enumerate(drawn.PARTS):
            if not drawn.has_part(name, frame):
                assert np.isnan(boxes[part]).all() and states[part] == -1
                continue
            expected = np.array(drawn.PART_PLACES[name]) + [box[0], box[1]] * 2
            assert boxes[part].tolist() == expected.tolist()
            assert drawn.STATES[states[part]] == drawn.part_state(action, name, frame)

    def test_rows_of_a_split(self, tiny_root):
        train, test = read(tiny_root), read(tiny_root, "test")
        # The rows of test come first in no table but their own: those of train are before them, or after.
        assert len(set(train.frames) | set(test.frames)) == 6 * 12 + 3 * 12
        assert len(train.persons) == 12 * 8 and len(test.persons) == 12 * 4
        assert (test.person_frame[test.persons] - test.frames[0]).tolist() == [
            *range(24),
            *(24 + i // 2 for i in range(24)),
        ]
        # Three parts in each person but every fourth frame's, which has two.
        assert len(train.parts) == 8 * (12 * 3 - 3) and len(test.parts) == 4 * (12 * 3 - 3)
        assert (test.frame_video[train.frames] == -1).all()
        assert np.isin(test.part_person[test.parts], test.persons).all()

    def test_persons_together_equal_persons_alone(self, tiny_root):
        index = read(tiny_root)
        persons = index.persons_of(index.videos[4].frames[3])
        boxes, states = index.person_parts(persons)
        assert boxes.shape == (2, 3, 4) and states.shape == (2, 3)
        for position, row in enumerate(range(persons.start, persons.stop)):
            alone = index.person_parts(row)
            np.testing.assert_array_equal(boxes[position], alone[0])
            np.testing.assert_array_equal(states[position], alone[1])

    def test_videos_are_a_sequence(self, tiny_root):
        videos = read(tiny_root).videos
        assert videos[-1] == videos[5] and videos[1:3] == [videos[1], videos[2]] and len(list(videos)) == 6
        with pytest.raises(IndexError):
            videos[6]

    def test_another_process_reads_the_same(self, tiny_root):
        index = read(tiny_root)
        assert pickle.loads(pickle.dumps(index)) is index
        assert len(pickle.dumps(index)) < 2000  # not the tables

    def test_records(self, tiny_root, drawn):
        index = read(tiny_root)
        truth = index.ground_truth(4)
        assert (truth.video, truth.size, truth.num_frames, truth.action()) == (VIDEO, drawn.SIZE, 12, 2)
        assert truth.frame_indices == list(range(1, 13)) and [len(frame) for frame in truth.frames] == [2] * 12
        frame = truth.frames[3]
        assert frame.boxes[1].tolist() == drawn.person_box("push_up", 4, 1)
        assert frame.part_states.tolist() == [[0, 1, -1]] * 2

    def test_objects_of_a_record(self, people_root):
        """Drawn people deal with objects, and the record has them as the files do."""
        index = open_index(people_root, "train", Taxonomy.from_root(people_root))
        seen = 0
        for i, entry in enumerate(index.videos):
            folder = people_root / "train_annotations" / entry.path.parent.name / entry.name
            for frame in index.ground_truth(i).frames:
                things = json.loads((folder / f"img_{frame.frame_index:05d}.json").read_text())["objects"]
                assert [index.taxonomy.objects[label] for label in frame.objects.labels] == [t["name"] for t in things]
                np.testing.assert_allclose(frame.objects.boxes.reshape(-1), sum((t["box"] for t in things), []))
                assert frame.objects.scores.tolist() == [1] * len(things)
                seen += len(things)
        assert seen > 10

    def test_read_once(self, tiny_root):
        assert read(tiny_root) is read(tiny_root)

    def test_nested_folders_read_the_same(self, tiny_root, tiny_copy):
        for folder in list((tiny_copy / "train_annotations").glob("*/*")):
            moved = shutil.move(folder, folder.with_name("moved"))
            folder.mkdir()
            shutil.move(moved, folder / folder.name)
        index, expected = read(tiny_copy), read(tiny_root)
        for column in ("frame_video", "frame_number", "person_frame", "boxes", "part_box", "part_id", "state_id"):
            np.testing.assert_array_equal(getattr(index, column), getattr(expected, column))
        assert len(index.problems) == 0

    def test_split_without_annotations(self, tiny_copy):
        # The official test split has none.
        shutil.rmtree(tiny_copy / "test_annotations")
        index = read(tiny_copy, "test")
        assert len(index.videos) == 3 and [len(rows) for rows in (index.frames, index.persons, index.parts)] == [0] * 3
        assert index.ground_truth(0) is None and len(index.problems) == 0

    def test_list_may_be_shorter_than_the_video_or_absent(self, tiny_copy):
        (tiny_copy / "list" / "video_train_flist.csv").write_text(f"push_up/{VIDEO}.mp4,10\n")
        index = read(tiny_copy)
        assert [entry.num_frames for entry in index.videos] == [12, 12, 12, 12, 10, 12]
        assert len(index.videos[4].frames) == 10 and len(index.problems) == 0
        assert index.videos[4].facts.num_frames == 12


class TestRefused:
    def test_split_unknown(self, tiny_root, tiny_taxonomy):
        with pytest.raises(InputError, match="has no split 'val': use train, test, or one of a file in"):
            open_index(tiny_root, "val", tiny_taxonomy)

    def test_no_videos_folder(self, tiny_copy):
        shutil.rmtree(tiny_copy / "test_videos")
        with pytest.raises(InputError, match="test_videos is missing: put videos at"):
            read(tiny_copy, "test")

    def test_no_usable_video(self, tiny_copy):
        for path in (tiny_copy / "test_videos").glob("*/*.mp4"):
            path.write_bytes(b"")
        with pytest.raises(InputError, match="has no usable video of split test: expected <action>/<video>.mp4 in"):
            read(tiny_copy, "test")


class TestBadVideos:
    """The others are read, the bad one is told once with its file."""

    def check(self, root, told, *, name=VIDEO):
        index = read(root)
        assert name not in [entry.name for entry in index.videos] and len(index.videos) == 5
        [(skipped, file, message)] = problems(index)
        assert (skipped, file) == ("video", f"{name}.mp4") and told in message
        assert [path.stem for path in index.broken] == [name]
        assert len(index.persons) == 12 * (2 + 2 + 2)

    def test_empty(self, tiny_copy):
        (tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4").write_bytes(b"")
        self.check(tiny_copy, "is empty: replace or remove it")

    def test_not_a_video(self, tiny_copy):
        (tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4").write_text("words")
        self.check(tiny_copy, "is not a video that can be read: replace or remove it")

    def test_truncated_with_complete_header(self, tiny_copy):
        path = tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4"
        path.write_bytes(path.read_bytes()[:-2000])
        self.check(tiny_copy, "is truncated")

    def test_shorter_than_the_list_says(self, tiny_copy, drawn):
        frames = [drawn.draw_frame("push_up", frame) for frame in range(1, 8)]
        drawn.encode(tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4", frames)
        index = read(tiny_copy)
        assert index.videos[4].num_frames == len(index.videos[4].frames) == 7
        [(skipped, file, message)] = problems(index)
        assert (skipped, file) == ("end of video", f"{VIDEO}.mp4") and "has 7 frames but the list says 12" in message
        assert message.endswith("fetch it again")

    def test_action_without_training_videos(self, tiny_copy):
        for kind in ("videos", "annotations"):
            shutil.move(tiny_copy / f"test_{kind}" / "lunge", tiny_copy / f"test_{kind}" / "surfing")
        index = read(tiny_copy, "test")
        [(skipped, file, message)] = problems(index)
        assert (skipped, file) == ("video", "lunge_test_0.mp4")
        assert "action 'surfing' is not known" in message and len(index.videos) == 2

    def test_two_videos_of_one_name(self, tiny_copy):
        videos = tiny_copy / "train_videos"
        shutil.copy(videos / "lunge" / "lunge_train_0.mp4", videos / "push_up" / "lunge_train_0.mp4")
        index = read(tiny_copy)
        assert [entry.name for entry in index.videos].count("lunge_train_0") == 1
        [problem] = [problem for problem in index.problems if problem.skipped == "video"]
        assert problem.path == videos / "push_up" / "lunge_train_0.mp4"
        assert "train_videos/lunge/lunge_train_0.mp4 has the same name: rename one" in problem.message


class TestBadAnnotations:
    def check(self, root, skipped, *told, frame=1):
        index = read(root)
        assert len(index.videos) == 6
        [(kind, file, message)] = problems(index)
        assert (kind, file) == (skipped, f"img_{frame:05d}.json")
        assert all(word in message for word in told), message
        return index

    @pytest.mark.parametrize(
        "content",
        [b'{"humans": [', b"", b"[]", b'{"humans": 3}', b'{"humans": null}', b"\xff\xfe", b"[" * 100_000],
        ids=["cut", "empty", "list", "number", "null", "not text", "deep"],
    )
    def test_malformed(self, tiny_copy, content):
        annotation(tiny_copy).write_bytes(content)
        index = self.check(tiny_copy, "frame", "cannot be read", "restore the file")
        assert index.ground_truth(4).frame_indices == list(range(2, 13))

    def test_missing(self, tiny_copy):
        annotation(tiny_copy, 3).unlink()
        index = self.check(tiny_copy, "frame", "is missing: restore the files", frame=3)
        assert index.ground_truth(4).frame_indices == [1, 2, *range(4, 13)]

    def test_folder_missing(self, tiny_copy):
        shutil.rmtree(annotation(tiny_copy).parent)
        index = read(tiny_copy)
        [(skipped, file, message)] = problems(index)
        assert (skipped, file) == ("annotations of video", VIDEO) and "is missing: put img_00001.json" in message
        assert index.ground_truth(4) is None

    @pytest.mark.parametrize(
        ("box", "told"),
        [
            ([96, 5, 110, 30], "is outside the 96x64 frame"),
            ([-30, 5, 0, 30], "is outside the 96x64 frame"),
            ([5, 64, 30, 90], "is outside the 96x64 frame"),
            ([30, 5, 5, 30], "inverted"),
            ([5, 5, 5, 30], "empty"),
            ([5, 5, float("nan"), 30], "not finite"),
            ([5, 5, float("inf"), 30], "not finite"),
            ([5, 5, 10**400, 30], "not finite"),
            ([5, 5, 10**40, 30], "not finite"),
            ([5, 5, 30], "is not four numbers"),
            (["5", 5, 30, 30], "is not four numbers"),
            ([False, False, True, True], "is not four numbers"),
            ([5, 5, 30, True], "is not four numbers"),
            (None, "is not four numbers"),
        ],
    )
    def test_person_box(self, tiny_copy, box, told):
        change(annotation(tiny_copy), lambda content: content["humans"][0].update(box=box))
        index = self.check(tiny_copy, "person", "humans[0].box", told, "correct the file")
        assert len(index.ground_truth(4).frames[0]) == 1

    def test_part_box_outside(self, tiny_copy):
        edit = lambda content: content["humans"][1]["parts"]["head"].update(box=[200, 5, 210, 30])  # noqa: E731
        change(annotation(tiny_copy), edit)
        index = self.check(tiny_copy, "part", "humans[1].parts.head.box [200, 5, 210, 30]", "outside the 96x64 frame")
        frame = index.ground_truth(4).frames[0]
        assert frame.part_states.tolist() == [[0, 1, 1], [-1, 1, 1]] and np.isnan(frame.part_boxes[1, 0]).all()

    def test_box_that_touches_the_frame_is_kept(self, tiny_copy):
        change(annotation(tiny_copy), lambda content: content["humans"][0].update(box=[-5, -5, 0.5, 0.5]))
        assert len(read(tiny_copy).problems) == 0

    def test_list_without_a_state(self, tiny_copy):
        (tiny_copy / "list" / "part_stat.txt").write_text("none\nbend\n")
        index = read(tiny_copy)
        [(skipped, file, message)] = problems(index)
        # The left arm lifts after frame 8 in 4 + 2 x 2 persons; the right arm in pull_ups when it is seen, 9 frames of
        # each of 2 videos.
        assert (skipped, file) == ("part", "img_00009.json")
        assert f"state 'lift' is not in the list, nor are {8 * 4 + 2 * 9 - 1} more of the kind" in message
        assert message.endswith("add it to list/part_stat.txt or correct the files")
        assert index.state_id[index.parts].max() == 1 and len(index.parts) == 8 * 33 - (8 * 4 + 2 * 9)
        assert index.ground_truth(4).frames[8].part_states.tolist() == [[0, -1, 1]] * 2

    def test_problems_of_the_other_split_are_its_own(self, tiny_copy):
        path = next((tiny_copy / "test_annotations" / "lunge").glob("*/img_00001.json"))
        change(path, lambda content: content["humans"][0]["parts"]["head"].update(verb="moonwalk"))
        assert len(read(tiny_copy).problems) == 0
        [(skipped, file, message)] = problems(read(tiny_copy, "test"))
        assert (skipped, file) == ("part", "img_00001.json") and "state 'moonwalk' is not in the list:" in message

    def test_list_without_a_part(self, tiny_copy):
        (tiny_copy / "list" / "body_part.txt").write_text("left_arm\nright_arm\n")
        index = read(tiny_copy)
        [(skipped, file, message)] = problems(index)
        assert (skipped, file) == ("part", "img_00001.json") and "part 'head' is not in the list" in message
        assert index.person_parts(index.persons[0])[0].shape == (2, 4)

    @pytest.mark.parametrize("parts", [["head"], 3], ids=["list", "number"])
    def test_parts_of_another_kind(self, tiny_copy, parts):
        change(annotation(tiny_copy), lambda content: content["humans"][0].update(parts=parts))
        self.check(tiny_copy, "part", "humans[0].parts", "is not an object")

    def test_person_of_another_kind(self, tiny_copy):
        change(annotation(tiny_copy), lambda content: content["humans"].insert(0, "me"))
        index = self.check(tiny_copy, "person", "humans[0] me is not an object")
        assert len(index.ground_truth(4).frames[0]) == 2

    def test_part_of_another_kind(self, tiny_copy):
        change(annotation(tiny_copy), lambda content: content["humans"][0]["parts"].update(head=[1, 2]))
        self.check(tiny_copy, "part", "humans[0].parts.head [1, 2] is not an object")

    def test_state_of_another_kind(self, tiny_copy):
        change(annotation(tiny_copy), lambda content: content["humans"][0]["parts"]["head"].update(verb=["none"]))
        self.check(tiny_copy, "part", "humans[0].parts.head", "has no state")

    def test_frame_without_persons_is_annotated(self, tiny_copy):
        annotation(tiny_copy).write_text("{}")
        index = read(tiny_copy)
        assert len(index.problems) == 0 and [len(frame) for frame in index.ground_truth(4).frames] == [0] + [2] * 11

    def test_person_without_parts(self, tiny_copy):
        change(annotation(tiny_copy), lambda content: content["humans"][0].pop("parts"))
        index = read(tiny_copy)
        assert len(index.problems) == 0 and index.ground_truth(4).frames[0].part_states[0].tolist() == [-1] * 3
