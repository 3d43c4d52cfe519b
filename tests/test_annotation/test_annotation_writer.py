import json
from pathlib import Path

import bodies
import pytest

from tpsparse.annotation import writer
from tpsparse.annotation.labels import label_clip
from tpsparse.annotation.rules import read_rules
from tpsparse.annotation.writer import (
    clear_leftovers,
    list_video,
    prepare_lists,
    read_names,
    remove_clips,
    write_annotations,
)
from tpsparse.datasets.frame_list import read_frame_list


def test_lists_of_a_new_data_set(tmp_path: Path) -> None:
    prepare_lists(tmp_path, ("none", "others", "bend"))
    assert read_names(tmp_path / "list" / "part_stat.txt") == ["none", "others", "bend"]
    assert len(read_names(tmp_path / "list" / "body_part.txt")) == 10
    assert read_names(tmp_path / "list" / "object.txt") == ["none"]
    assert (tmp_path / "test_videos").is_dir()
    assert [(tmp_path / "list" / f"video_{split}_flist.csv").read_text() for split in ("train", "test")] == ["", ""]


def test_names_that_are_there_keep_their_places(tmp_path: Path) -> None:
    path = tmp_path / "list" / "part_stat.txt"
    path.parent.mkdir()
    path.write_text("grab\nbend", encoding="utf-8")
    prepare_lists(tmp_path, ("none", "bend", "lift"))
    assert read_names(path) == ["grab", "bend", "none", "lift"]
    before = path.stat().st_mtime_ns
    prepare_lists(tmp_path, ("lift",))
    assert path.stat().st_mtime_ns == before


def test_frame_counts_are_added_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "list" / "video_train_flist.csv"
    path.parent.mkdir()
    path.write_text("video,frames\nrun/old.mp4,7")
    for _ in range(2):
        list_video(tmp_path, "train", "hurling_(sport)", "ä clip, 2", 24)
        list_video(tmp_path, "train", "walk", "old", 9)
    assert path.read_text().splitlines() == [
        "video,frames",
        "run/old.mp4,7",
        '"hurling_(sport)/ä clip, 2.mp4",24',
        "walk/old.mp4,9",
    ]
    rows = read_frame_list(path).rows
    assert [tuple(row) for row in rows] == [("run", "old", 7), ("hurling_(sport)", "ä clip, 2", 24), ("walk", "old", 9)]


def frames(count: int):
    track = bodies.track([bodies.pose(bodies.hanging())] * count)
    return label_clip([track], read_rules(), num_frames=count, size=(400, 400), fps=25.0)


def test_annotations_appear_whole_and_replace_older_ones(tmp_path: Path) -> None:
    folder = tmp_path / "train_annotations" / "walk (1)" / "größer"
    write_annotations(folder, frames(12))
    assert sorted(path.name for path in folder.iterdir()) == [f"img_{i:05d}.json" for i in range(1, 13)]
    assert len(json.loads((folder / "img_00012.json").read_text(encoding="utf-8"))["humans"][0]["parts"]) == 10
    write_annotations(folder, frames(2))
    assert len(list(folder.iterdir())) == 2
    assert list(folder.parent.iterdir()) == [folder]


def test_annotations_that_fail_leave_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "walk" / "a"
    write_annotations(folder, frames(1))
    broken = frames(2)
    broken[1][0].box[:] = float("nan")
    with pytest.raises(ValueError):
        write_annotations(folder, broken)
    assert [path.name for path in folder.parent.iterdir()] == ["a"]
    assert len(list(folder.iterdir())) == 1


def test_a_run_killed_while_it_replaces_annotations_leaves_no_half_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "train_annotations" / "walk" / "a"
    write_annotations(folder, frames(3))
    removed: list[list[Path]] = []
    monkeypatch.setattr(writer.shutil, "rmtree", lambda path, **_: removed.append(sorted(folder.iterdir())))
    write_annotations(folder, frames(2))
    assert [len(there) for there in removed] == [2, 2], "when the old ones are removed, the new ones are there"
    monkeypatch.undo()
    clear_leftovers(tmp_path)
    assert list(folder.parent.iterdir()) == [folder]


def test_removed_clips_leave_all_others(tmp_path: Path) -> None:
    places = (
        "{split}_videos/walk, 1/{name}.mp4",
        "{split}_annotations/walk, 1/{name}/img_00001.json",
        "{split}_frames/walk, 1/{name}/img_00001.jpg",
        "review/{name}.mp4",
        "annotate/done/{name}.json",
        "annotate/poses/{name}.npz",
    )
    clips = {"ä": "train", "ä (1)": "test", "other": "train"}
    for name, split in clips.items():
        for place in places:
            path = tmp_path / place.format(name=name, split=split)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        list_video(tmp_path, split, "walk, 1", name, 1)
    remove_clips(tmp_path, "walk, 1", [("ä", "train"), ("ä (1)", "test"), ("never there", "train")])
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    lists = [f"list/video_{split}_flist.csv" for split in ("train", "test")]
    assert left == sorted([*lists, *(place.format(name="other", split="train") for place in places)])
    assert (tmp_path / lists[0]).read_text() == '"walk, 1/other.mp4",1\n'
    assert (tmp_path / lists[1]).read_text() == ""


def test_leftovers_go_and_all_else_stays(tmp_path: Path) -> None:
    leftovers = [
        tmp_path / "train_annotations" / "walk" / ".a.12-ab.partial" / "img_00001.json",
        tmp_path / "train_videos" / "walk" / ".a.12-ab.partial.mp4",
        tmp_path / "review" / ".a.12-ab.partial.mp4",
        tmp_path / "annotate" / "poses" / ".a.12-ab.partial.npz",
        tmp_path / "annotate" / ".videos.12-ab.partial.json",
    ]
    kept = [
        tmp_path / "train_annotations" / "walk" / "a" / "img_00001.json",
        tmp_path / "train_videos" / "walk" / "a.mp4",
    ]
    for path in (*leftovers, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    clear_leftovers(tmp_path)
    assert [path.exists() for path in leftovers] == [False] * 5 and all(path.exists() for path in kept)
    clear_leftovers(tmp_path / "nothing here")
