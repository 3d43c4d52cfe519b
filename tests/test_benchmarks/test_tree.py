from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tpsparse.datasets.index import build_index
from tpsparse.datasets.video import count_decoded
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def tree(benchmark):
    return benchmark("tree")


@pytest.fixture(scope="module")
def content(benchmark):
    return benchmark("tree_content")


@pytest.fixture(scope="module")
def root(small_data) -> Path:
    return small_data / "tree_80"


def frames_of(root: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((root / "train_annotations").glob("*/*/*.json"))]


def files_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_counts_are_those_of_the_files(root):
    frames = frames_of(root)
    humans = [human for frame in frames for human in frame["humans"]]
    counted = dict(
        frames=len(frames),
        persons=len(humans),
        parts=sum(len(human["parts"]) for human in humans),
        objects=sum(len(frame["objects"]) for frame in frames),
    )
    assert json.loads((root / "tree.json").read_text())["counts"] == counted
    assert counted["frames"] == 80 and counted["parts"] > counted["persons"] > 80


def test_lists_videos_and_annotations_agree(root):
    with (root / "list" / "video_train_flist.csv").open() as file:
        listed = {name: int(count) for name, count in csv.reader(file)}
    assert sum(listed.values()) == 80 and set(listed.values()) == {20}
    for name, count in listed.items():
        folder = (root / "train_annotations" / name).with_suffix("")
        assert count_decoded(root / "train_videos" / name) == count
        assert sorted(path.name for path in folder.iterdir()) == [f"img_{i:05d}.json" for i in range(1, count + 1)]


def test_the_index_finds_no_error(tree, tmp_path):
    manifest = tree.make_tree(tmp_path / "tree (ä)", videos=6, frames=40, workers=1, progress=False)
    summary = build_index(tmp_path / "tree (ä)", workers=1, progress=False)
    assert summary.num_errors == 0
    assert {name: len(summary.tables[name]) for name in manifest["counts"]} == manifest["counts"]


def test_names_are_the_official_ones(root, content):
    taxonomy = Taxonomy.from_root(root)
    assert [len(names) for names in (taxonomy.parts, taxonomy.states, taxonomy.actions, taxonomy.objects)] == [
        10,
        74,
        24,
        75,
    ]
    assert "hurling_(sport)" in taxonomy.actions and taxonomy.states[:2] == ("none", "others")
    verbs = {part["verb"] for frame in frames_of(root) for human in frame["humans"] for part in human["parts"].values()}
    assert len(verbs) > 8 and verbs <= set(taxonomy.states)


def test_same_seed_same_files_to_the_bit(tree, tmp_path):
    parameters = dict(videos=2, frames=7, workers=1, progress=False)
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        tree.make_tree(tmp_path / name, seed=seed, **parameters)
    one, two, other = (files_of(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two and set(one) != set(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other", "two"]


def test_frames_that_do_not_divide(tree, tmp_path):
    tree.make_tree(tmp_path / "tree", videos=3, frames=8, workers=1, progress=False)
    counts = sorted(len(list(folder.iterdir())) for folder in (tmp_path / "tree" / "train_annotations").glob("*/*"))
    assert counts == [2, 3, 3]


def test_a_tree_that_is_there_is_found_and_another_is_refused(tree, root):
    before = files_of(root)
    manifest = tree.make_tree(root, videos=4, frames=80)
    assert manifest["counts"]["frames"] == 80 and files_of(root) == before
    with pytest.raises(InputError, match="holds something else"):
        tree.make_tree(root, videos=4, frames=81)


def test_a_folder_of_someone_else_is_refused(tree, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="holds something else"):
        tree.make_tree(tmp_path / "mine", videos=2, frames=4)


def test_fewer_frames_than_videos(tree, tmp_path):
    with pytest.raises(InputError, match="give at least one a video"):
        tree.make_tree(tmp_path / "tree", videos=5, frames=4)
    assert not (tmp_path / "tree").exists()


def test_means_are_the_published_ones(content):
    means = [content.mean_persons(action) for action in range(len(content.ACTIONS))]
    assert np.mean(means) == pytest.approx(2.8) and means[0] / means[-1] == pytest.approx(7)
    assert content.ACTIONS[0] == "capoeira" and content.ACTIONS[-1] == "tobogganing"
    total = content.Counts()
    for video in range(240):
        rng = np.random.default_rng(video)
        total += content.count(content.video_frames(rng, video % 24, frames=30, size=(256, 340)))
    assert total.persons / total.frames == pytest.approx(2.8, rel=0.15)
    assert total.parts / total.persons == pytest.approx(5.0, rel=0.05)
    assert total.objects / total.frames == pytest.approx(0.9, rel=0.2)


def test_people_move_smoothly_inside_the_frame(content):
    people = content.draw_people(np.random.default_rng(0), 12, frames=90, size=(256, 340))
    for boxes in (people.boxes, people.part_boxes):
        assert boxes.min() >= 0 and boxes[..., [0, 2]].max() <= 339 and boxes[..., [1, 3]].max() <= 255
        assert (boxes[..., 2:] - boxes[..., :2] > 1).all()
        assert np.abs(np.diff(boxes, axis=0)).max() < 8  # pixels from frame to frame
    assert np.ptp(people.boxes, axis=0).max() > 20
    assert 0.7 < people.seen.mean() < 1 and people.seen.any(axis=0).all()
    changes = np.count_nonzero(np.diff(people.states, axis=0), axis=0)
    assert changes.max() <= 4  # 90 frames are five stretches of up to 20 frames


def test_nobody(content):
    people = content.draw_people(np.random.default_rng(0), 0, frames=5, size=(256, 340))
    assert people.boxes.shape == (5, 0, 4) and people.part_boxes.shape == (5, 0, 10, 4)
