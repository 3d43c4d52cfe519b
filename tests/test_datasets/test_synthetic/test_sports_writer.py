"""The synthetic set in TAPOS's layout: what is written, and that it is resumed and always the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tpsparse.datasets.instances import open_instances, parse_name
from tpsparse.datasets.synthetic import sports_scene, write_sports
from tpsparse.datasets.synthetic.sports import SPORTS, SUB_ACTIONS
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError

SMALL = {"sports": 2, "train": 2, "val": 1, "size": (48, 64), "seed": 3, "progress": False}


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sports") / "a set (é)"
    write_sports(out, **SMALL, workers=1)
    return out


@pytest.fixture
def copied(dataset, tmp_path) -> Path:
    return Path(shutil.copytree(dataset, tmp_path / "copy"))


def test_annotation_is_tapos_with_two_more_keys(dataset):
    annotation = json.loads((dataset / "tapos_annotation.json").read_text())
    entries = [(video, name, entry) for video, instances in annotation.items() for name, entry in instances.items()]
    assert len(entries) == 6
    for video, name, entry in entries:
        assert set(entry) == {
            "subset", "shot_timestamps", "total_frames", "substages", "action", "sub_actions"
        }  # fmt: skip
        assert entry["substages"][0] == 0 and entry["substages"][-1] == entry["total_frames"]
        assert len(entry["sub_actions"]) == len(entry["substages"]) - 1
        assert set(entry["sub_actions"]) <= set(SUB_ACTIONS)
        place = parse_name(name)
        assert place.duration == pytest.approx(entry["total_frames"] / 15, abs=0.0006)
        start, end = entry["shot_timestamps"]
        assert place.end < end - start
        assert video.startswith(f"{entry['action']}_{entry['subset']}_")
    # Two instances stand for one source video, and a source video is in one subset.
    assert sorted(map(len, annotation.values())) == [1, 1, 2, 2]


def test_index_reads_it_without_a_complaint(dataset):
    train, val = open_instances(dataset, "train"), open_instances(dataset, "val")
    assert (len(train), len(val)) == (4, 2)
    assert train.actions == tuple(sorted(list(SPORTS)[:2]))
    assert not len(train.problems) and not len(val.problems)
    assert all(instance.fps == pytest.approx(15, abs=0.01) for instance in train.instances)
    assert min(len(instance.boundaries) for instance in train.instances) >= 2


def test_videos_have_the_annotated_frames(dataset):
    for subset in ("train", "val"):
        index = open_instances(dataset, subset)
        for instance in index.instances:
            video = Video(index.video(instance))
            assert (video.num_frames, video.size, video.fps) == (instance.num_frames, (48, 64), 15)
    videos = [data for name, data in contents(dataset).items() if name.endswith(".mp4")]
    assert len(set(videos)) == len(videos) == 6


def test_same_bytes_whatever_the_workers(dataset, tmp_path):
    write_sports(tmp_path / "again", **SMALL, workers=2)
    assert contents(tmp_path / "again") == contents(dataset)


def test_other_seeds_and_fewer_instances(dataset, tmp_path):
    few = {**SMALL, "sports": 1, "train": 1, "val": 0}
    write_sports(tmp_path / "few", **few, workers=1)
    write_sports(tmp_path / "other", **{**few, "seed": 4}, workers=1)
    [name] = [name for name in contents(tmp_path / "few") if name.endswith(".mp4")]
    assert contents(tmp_path / "few")[name] == contents(dataset)[name]
    assert contents(tmp_path / "few")[name] not in contents(tmp_path / "other").values()


def test_only_what_is_lost_is_made_again(dataset, copied):
    videos = sorted(copied.rglob("*.mp4"))
    times = {path: path.stat().st_mtime_ns for path in videos}
    videos[2].unlink()
    (copied / "tapos_annotation.json").unlink()
    write_sports(copied, **SMALL, workers=1)
    assert contents(copied) == contents(dataset)
    assert [path for path in videos if path.stat().st_mtime_ns != times[path]] == [videos[2]]


def test_interrupted_instance_leaves_no_half_file(tmp_path, monkeypatch):
    def interrupted(self, frame):
        if frame == 2:
            raise KeyboardInterrupt
        return render(self, frame)

    render = sports_scene.SportScene.render
    monkeypatch.setattr(sports_scene.SportScene, "render", interrupted)
    out = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        write_sports(out, **{**SMALL, "sports": 1}, workers=1)
    assert not list(out.rglob("*.mp4")) and not list(out.rglob("*.partial*"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sports": 0}, "sports is 0: choose 1 to"),
        ({"sports": 99}, "sports is 99: choose 1 to"),
        ({"train": -1}, "train is -1: give the number of videos of each sport"),
        ({"size": (47, 64)}, "size is 47x64: H.264 needs an even height"),
        ({"size": (46, 64)}, "give at least 48 pixels a side"),
        ({"seed": -1}, "seed is -1"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        write_sports(tmp_path / "set", **{**SMALL, **wrong})
    assert not (tmp_path / "set").exists()


def test_other_parameters_and_other_folders_are_refused(copied, tmp_path):
    with pytest.raises(InputError, match=r"synthetic\.json has train 2: repeat that or choose another folder"):
        write_sports(copied, **{**SMALL, "train": 3})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else than a synthetic data set"):
        write_sports(tmp_path / "mine", **SMALL)
