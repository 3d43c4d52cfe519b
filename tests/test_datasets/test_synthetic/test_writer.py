import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from tpsparse.datasets.index import open_index
from tpsparse.datasets.synthetic import write_dataset
from tpsparse.datasets.synthetic.actions import ACTIONS
from tpsparse.errors import InputError
from tpsparse.structures import VideoParse
from tpsparse.structures.keypoints import KEYPOINTS
from tpsparse.taxonomy import Taxonomy

SMALL = {"actions": 2, "train": 2, "test": 1, "frames": 3, "size": (64, 96), "seed": 3, "progress": False}
OFFICIAL = {
    "belly_dancing",
    "capoeira",
    "clean_and_jerk",
    "country_line_dancing",
    "crawling_baby",
    "deadlifting",
    "front_raises",
    "hammer_throw",
    "hitting_baseball",
    "hopscotch",
    "hurling_(sport)",
    "juggling_balls",
    "lunge",
    "pull_ups",
    "punching_bag",
    "push_up",
    "riding_mechanical_bull",
    "salsa_dancing",
    "skateboarding",
    "skipping_rope",
    "snatch_weight_lifting",
    "surfing_crowd",
    "throwing_discus",
    "tobogganing",
}


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def copy_of(dataset: Path, out: Path) -> Path:
    return Path(shutil.copytree(dataset, out, ignore=shutil.ignore_patterns("index")))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "set"
    write_dataset(out, **SMALL, workers=1)
    return out


@pytest.fixture
def copied(dataset, tmp_path) -> Path:
    return copy_of(dataset, tmp_path / "set")


def test_actions_have_official_names():
    assert len(ACTIONS) >= 8
    assert {action.name for action in ACTIONS} <= OFFICIAL


def test_layout_is_official(dataset):
    names = set(contents(dataset))
    expected = {"synthetic.json"}
    expected |= {f"list/{name}.txt" for name in ("body_part", "part_stat", "object")}
    expected |= {f"list/video_{split}_flist.csv" for split in ("train", "test")}
    for action in ("pull_ups", "push_up"):
        for split, count in (("train", 2), ("test", 1)):
            for number in range(count):
                video = f"{action}_{split}_{number:03d}"
                expected |= {f"{split}_videos/{action}/{video}.mp4", f"keypoints/{video}.safetensors"}
                expected |= {f"{split}_annotations/{action}/{video}/img_{i:05d}.json" for i in (1, 2, 3)}
    assert names == expected


def test_lists_can_be_read(dataset):
    taxonomy = Taxonomy.from_root(dataset)
    assert taxonomy.actions == ("pull_ups", "push_up")
    assert taxonomy.objects == ("none", "horizontal_bar")
    assert len(taxonomy.parts) == 10
    rows = (dataset / "list" / "video_train_flist.csv").read_text().splitlines()
    assert rows[0] == "pull_ups/pull_ups_train_000.mp4,3"
    assert len(rows) == 4


def test_frames_are_annotated_in_the_official_form(dataset):
    taxonomy = Taxonomy.from_root(dataset)
    paths = sorted(dataset.glob("*_annotations/*/*/*.json"))
    assert len(paths) == 2 * 3 * 3
    for path in paths:
        frame = json.loads(path.read_text())
        assert set(frame) == {"humans", "objects"}
        assert [human["number"] for human in frame["humans"]] == list(range(1, len(frame["humans"]) + 1))
        for human in frame["humans"]:
            assert set(human) == {"number", "box", "name", "parts"}
            assert human["name"] == "person"
            for part, entry in human["parts"].items():
                assert set(entry) == {"number", "box", "verb", "name"}
                assert (entry["number"], entry["name"]) == (1, part)
                assert part in taxonomy.parts
                assert entry["verb"] in taxonomy.states
                assert all(type(side) is int for side in entry["box"])
        for thing in frame["objects"]:
            assert set(thing) == {"number", "name", "box"}
            assert thing["name"] in taxonomy.objects


def test_objects_of_an_action_are_annotated_in_its_videos_alone(dataset, tmp_path):
    """What a detector of objects learns from: in every frame of pull-ups each person has a bar."""
    things = {"pull_ups": [], "push_up": []}
    for path in sorted(dataset.glob("*_annotations/*/*/*.json")):
        frame = json.loads(path.read_text())
        named = [thing["name"] for thing in frame["objects"]]
        things[path.parent.parent.name].append((named, len(frame["humans"])))
    assert len(things["pull_ups"]) == len(things["push_up"]) == 9
    assert all(named == ["horizontal_bar"] * persons and persons for named, persons in things["pull_ups"])
    assert all(named == [] for named, _ in things["push_up"])
    root = copy_of(dataset, tmp_path / "set")  # an index is written into it
    index = open_index(root, "train", Taxonomy.from_root(root))
    assert set(index.object_id[index.objects].tolist()) == {1}
    boxes = index.object_box[index.objects]
    assert (boxes[:, 2:] - boxes[:, :2] >= 10).all() and (boxes >= 0).all() and (boxes[:, 2] <= 96).all()


def test_videos_decode_to_the_stated_frames_and_size(dataset):
    for path in dataset.glob("*_videos/*/*.mp4"):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert stream.average_rate == 15
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert len(frames) == 3
        assert all(frame.shape == (64, 96, 3) for frame in frames)
        assert frames[0].std() > 10


def test_every_video_differs(dataset):
    videos = [data for name, data in contents(dataset).items() if name.endswith(".mp4")]
    assert len(set(videos)) == len(videos) == 6


def test_same_bytes_whatever_the_workers(dataset, tmp_path):
    out = tmp_path / "again"
    write_dataset(out, **SMALL, workers=2)
    assert contents(out) == contents(dataset)


def test_another_seed_gives_other_videos(dataset, tmp_path):
    out = tmp_path / "other"
    write_dataset(out, **{**SMALL, "seed": 4, "train": 1, "test": 0, "actions": 1}, workers=1)
    name = "train_videos/pull_ups/pull_ups_train_000.mp4"
    assert (out / name).read_bytes() != (dataset / name).read_bytes()


def test_videos_do_not_depend_on_how_many_there_are(dataset, tmp_path):
    out = tmp_path / "fewer"
    write_dataset(out, **{**SMALL, "train": 1, "test": 0, "actions": 1}, workers=1)
    name = "train_videos/pull_ups/pull_ups_train_000.mp4"
    assert (out / name).read_bytes() == (dataset / name).read_bytes()


@pytest.mark.parametrize(
    "lost",
    [
        "train_videos/push_up/push_up_train_001.mp4",
        "test_annotations/pull_ups/pull_ups_test_000/img_00002.json",
        "keypoints/pull_ups_train_000.safetensors",
        "list/part_stat.txt",
    ],
)
def test_only_what_is_lost_is_made_again(dataset, copied, lost):
    times = {path: path.stat().st_mtime_ns for path in copied.glob("*_videos/*/*.mp4")}
    (copied / lost).unlink()
    write_dataset(copied, **SMALL, workers=1)
    assert contents(copied) == contents(dataset)
    changed = [path for path, time in times.items() if not path.exists() or path.stat().st_mtime_ns != time]
    assert len(changed) == (0 if lost.startswith("list") else 1)


def test_interrupted_video_leaves_no_half_file(tmp_path, monkeypatch):
    from tpsparse.datasets.synthetic import scene, writer

    render = scene.Scene.render

    def interrupted(self, frame):
        if frame == 1:
            raise KeyboardInterrupt
        return render(self, frame)

    monkeypatch.setattr(scene.Scene, "render", interrupted)
    out = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        write_dataset(out, **{**SMALL, "actions": 1}, workers=1)
    assert not list(out.rglob("*.mp4"))
    assert not list(out.rglob(".*"))
    monkeypatch.setattr(scene.Scene, "render", render)
    # What a killed process leaves behind is cleared when its video is made.
    stale = out / "train_videos" / "pull_ups" / ".pull_ups_train_000.mp4.1.partial"
    stale.write_bytes(b"half")
    other = out / "keypoints" / ".pull_ups_train_000.1-abc.partial.safetensors"
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"half")
    write_dataset(out, **{**SMALL, "actions": 1}, workers=1)
    assert len(list(out.rglob("*.mp4"))) == 3
    assert not stale.exists() and not other.exists()
    assert json.loads((out / "synthetic.json").read_text())["format"] == writer.FORMAT


def test_other_parameters_are_refused(copied):
    before = contents(copied)
    with pytest.raises(InputError, match=r"synthetic.json has seed 3: .*another folder"):
        write_dataset(copied, **{**SMALL, "seed": 4})
    (copied / "synthetic.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        write_dataset(copied, **SMALL)
    (copied / "synthetic.json").write_text("[]")
    with pytest.raises(InputError, match="another folder"):
        write_dataset(copied, **SMALL)
    assert set(contents(copied)) == set(before)


def test_a_set_of_another_format_is_refused(copied):
    parameters = json.loads((copied / "synthetic.json").read_text())
    (copied / "synthetic.json").write_text(json.dumps({**parameters, "format": 1}))
    with pytest.raises(InputError, match=r"synthetic.json is of a data set in format 1, .* format 2: choose another"):
        write_dataset(copied, **SMALL)


def test_keypoints_are_of_the_annotated_persons(dataset):
    for path in dataset.glob("*_videos/*/*.mp4"):
        parse = VideoParse.load(dataset / "keypoints" / f"{path.stem}.safetensors")
        assert (parse.video, parse.size, parse.num_frames, parse.fps) == (path.stem, (64, 96), 3, 15)
        assert parse.frame_indices == [1, 2, 3] and not parse.action_scores and not parse.features
        folder = dataset / path.parts[-3].replace("videos", "annotations") / path.parent.name / path.stem
        for frame in parse.frames:
            humans = json.loads((folder / f"img_{frame.frame_index:05d}.json").read_text())["humans"]
            assert frame.boxes.tolist() == [human["box"] for human in humans]
            assert frame.scores.tolist() == [1] * len(humans) and frame.part_boxes is None
            assert frame.keypoints.shape == (len(humans), 17, 3)
            assert set(np.unique(frame.keypoints[..., 2])) <= {0, 1}


def test_keypoints_lie_on_their_parts(dataset):
    """The nose in the head's box, wrists and ankles in or beside a limb's: what is drawn and what is told agree."""
    near = {"nose": "head", "left_elbow": "left_arm", "right_elbow": "right_arm", "left_knee": "left_leg"}
    seen = 0
    for path in (dataset / "keypoints").glob("*train*"):
        parse = VideoParse.load(path)
        folder = dataset / "train_annotations" / path.stem.rsplit("_", 2)[0] / path.stem
        for frame in parse.frames:
            humans = json.loads((folder / f"img_{frame.frame_index:05d}.json").read_text())["humans"]
            for human, points in zip(humans, frame.keypoints, strict=True):
                for name, part in near.items():
                    x, y, score = points[KEYPOINTS.index(name)]
                    if score and part in human["parts"]:
                        x0, y0, x1, y1 = human["parts"][part]["box"]
                        assert x0 - 2 <= x <= x1 + 2 and y0 - 2 <= y <= y1 + 2, (path, frame.frame_index, name)
                        seen += 1
    assert seen >= 24


def test_an_index_does_not_see_the_keypoints(dataset, tmp_path):
    with_them, without = copy_of(dataset, tmp_path / "with"), copy_of(dataset, tmp_path / "without")
    shutil.rmtree(without / "keypoints")
    first, second = (open_index(root, "train", Taxonomy.from_root(root)) for root in (with_them, without))
    assert [entry.name for entry in first.videos] == [entry.name for entry in second.videos] and len(first.videos) == 4
    assert not list(first.problems) and first.boxes.tolist() == second.boxes.tolist()


def test_foreign_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        write_dataset(tmp_path, **SMALL)
    with pytest.raises(InputError, match="something else"):
        write_dataset(tmp_path / "notes.txt", **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"actions": len(ACTIONS) + 1}, "actions"),
        ({"actions": 0}, "actions"),
        ({"train": -1}, "train"),
        ({"test": -1}, "test"),
        ({"frames": 0}, "frames"),
        ({"size": (65, 96)}, "even"),
        ({"size": (64, 97)}, "even"),
        ({"size": (32, 96)}, "at least"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
    ],
)
def test_unusable_parameters_are_refused(tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        write_dataset(tmp_path / "set", **{**SMALL, **wrong})
    assert not (tmp_path / "set").exists()
