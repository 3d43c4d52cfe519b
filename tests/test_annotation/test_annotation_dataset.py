import fcntl
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_clips import MadeEstimator, make_video

from tpsparse.annotation import dataset
from tpsparse.annotation.dataset import Options, annotate_videos
from tpsparse.annotation.job import PoseOptions, Progress
from tpsparse.annotation.processes import Failure
from tpsparse.datasets.frame_list import read_frame_list
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.poses import mediapipe
from tpsparse.taxonomy import Taxonomy

OPTIONS = Options(review=False, progress=False)


def run_here(work: Any, tasks: list[Any], workers: int) -> Iterator[tuple[int, Any]]:
    """Like the processes, in this one, in which people are made up."""
    for number, task in enumerate(tasks):
        try:
            for item in work(task):
                yield number, item
        except InputError as error:
            yield number, Failure(str(error))


@pytest.fixture(autouse=True)
def made_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediapipe, "PoseEstimator", MadeEstimator)
    monkeypatch.setattr(dataset, "run_processes", run_here)
    monkeypatch.setattr(dataset, "check_installed", lambda: None)
    MadeEstimator.asked = []


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for i, name in enumerate(("walk/a b.mp4", "walk/ü.mp4", "hurling_(sport)/1.mp4", "hurling_(sport)/2.mp4")):
        make_video(tmp_path / "raw" / name, 6 + i)
    return tmp_path / "raw"


def test_a_folder_becomes_a_data_set(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    summary = annotate_videos([raw], root, OPTIONS)
    assert not len(summary.problems) and len(summary.clips) == 4
    taxonomy = Taxonomy.from_root(root)
    assert taxonomy.actions == ("hurling_(sport)", "walk") and len(taxonomy.parts) == 10
    for split in ("train", "test"):
        rows = read_frame_list(root / "list" / f"video_{split}_flist.csv").rows
        assert sorted(row.action for row in rows) == ["hurling_(sport)", "walk"]
        for row in rows:
            assert (root / f"{split}_videos" / row.action / f"{row.name}.mp4").is_file()
            folder = root / f"{split}_annotations" / row.action / row.name
            assert len(list(folder.glob("img_*.json"))) == row.num_frames
    lines = summary.text().splitlines()
    assert lines[0] == "labelled 4 clips: 30 frames, 4 persons"
    assert lines[1:] == [
        "clips by action, the videos of the test split chosen by a seeded hash of their names:",
        "  hurling_(sport): 1 train, 1 test",
        "  walk: 1 train, 1 test",
    ]


def test_one_run_at_a_time(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="set is used by another run: wait until that has ended, or give another"):
            annotate_videos([raw], root, OPTIONS)
    assert not len(annotate_videos([raw], root, OPTIONS).problems) and not (root / ".lock").exists()


def test_the_index_reads_it_without_a_complaint(raw: Path, tmp_path: Path) -> None:
    from tpsparse.datasets.index import open_index

    root = tmp_path / "set"
    annotate_videos([raw], root, OPTIONS)
    for split in ("train", "test"):
        index = open_index(root, split, Taxonomy.from_root(root))
        assert len(index.videos) == 2 and not len(index.problems)


def test_run_again_nothing_is_done_and_what_is_new_is_added(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    annotate_videos([raw], root, OPTIONS)
    MadeEstimator.asked = []
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    again = annotate_videos([raw], root, OPTIONS)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert MadeEstimator.asked == [] and "kept 4 clips that were labelled before" in again.text()
    make_video(raw / "walk" / "new.mp4", 15)
    third = annotate_videos([raw], root, OPTIONS)
    assert sum(not clip.kept for clip in third.clips) == 1
    assert all(path.read_bytes() == old for path, old in before.items() if "_annotations" in str(path))


def test_corrected_labels_stay_until_they_are_to_be_made_anew(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    annotate_videos([raw], root, OPTIONS)
    [path] = root.glob("*_annotations/walk/ü/img_00002.json")
    path.write_text('{"humans": []}')
    other = Options(review=False, progress=False, min_visibility=0.7)
    told = annotate_videos([raw], root, other).text()
    assert "of them 4 with other options or rules: --redo makes their labels anew" in told
    assert path.read_text() == '{"humans": []}'
    annotate_videos([raw], root, Options(review=False, progress=False, redo=True))
    assert len(json.loads(path.read_text())["humans"]) == 1


def test_a_broken_video_costs_itself_alone(raw: Path, tmp_path: Path) -> None:
    (raw / "walk" / "empty.mp4").write_bytes(b"")
    (raw / "walk" / "text.mp4").write_text("not a video")
    whole = (raw / "walk" / "ü.mp4").read_bytes()
    (raw / "walk" / "cut off.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    summary = annotate_videos([raw], tmp_path / "set", OPTIONS)
    assert len(summary.clips) == 4
    told = {problem.path.name: problem.message for problem in summary.problems}
    assert set(told) == {"empty.mp4", "text.mp4", "cut off.mp4"}
    assert told["empty.mp4"].startswith("is empty")
    assert "empty" not in (tmp_path / "set" / "annotate" / "videos.json").read_text()


def test_only_broken_videos_leave_no_clips(tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    (tmp_path / "walk" / "a.mp4").write_text("no")
    summary = annotate_videos([tmp_path], tmp_path / "set", OPTIONS)
    assert summary.nothing_done and len(summary.problems) == 1
    assert summary.text() == "no video could be labelled"
    assert not (tmp_path / "set").exists()


def test_a_video_without_people_is_told(raw: Path, tmp_path: Path) -> None:
    make_video(raw / "walk" / "tall.mp4", 4, size=(128, 96))
    summary = annotate_videos([raw], tmp_path / "set", OPTIONS)
    [problem] = summary.problems
    assert problem.path.name == "tall.mp4" and "nobody was found in tall" in problem.message
    assert len(summary.clips) == 5


def test_a_video_that_fails_midway_is_told_and_leaves_nothing_half_written(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = MadeEstimator.find

    def fail(self: MadeEstimator, image: Any) -> Any:
        if len(MadeEstimator.asked) == 8:
            raise InputError(f"{raw}/walk/a b.mp4 ends after frame 2: replace it")
        return find(self, image)

    monkeypatch.setattr(MadeEstimator, "find", fail)
    root = tmp_path / "set"
    summary = annotate_videos([raw], root, OPTIONS)
    assert len(summary.clips) < 4 and len(summary.problems) >= 1
    assert not [path for path in root.rglob("*") if ".partial" in path.name]
    monkeypatch.setattr(MadeEstimator, "find", find)
    assert len(annotate_videos([raw], root, OPTIONS).clips) == 4


def test_the_only_video_of_an_action_is_cut_into_both_splits(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 12)
    options = Options(review=False, progress=False, action="walk", clip_seconds=0.4)
    told = annotate_videos([path], tmp_path / "set", options).text()
    assert "  walk: 2 train, 1 test" in told
    assert "train and test are parts of one video, so scores will be too high: walk" in told
    whole = Options(review=False, progress=False, action="walk")
    told = annotate_videos([path], tmp_path / "other", whole).text()
    assert "there is no test video: give another video of an action, or cut one into two clips or more with" in told


def files_of(root: Path) -> set[str]:
    """Videos, folders of annotations, landmarks, stamps and reviews."""
    found = [path.relative_to(root) for path in root.rglob("*") if path.suffix in (".mp4", ".npz")]
    found += [path.relative_to(root) for path in root.glob("annotate/done/*")]
    return {str(path) for path in [*found, *(path.relative_to(root) for path in root.glob("*_annotations/*/*"))]}


def test_the_advice_to_cut_the_only_video_works(tmp_path: Path) -> None:
    path, root = make_video(tmp_path / "v.mp4", 9), tmp_path / "set"
    annotate_videos([path], root, replace(OPTIONS, action="walk"))
    (root / "train_frames" / "walk" / "v").mkdir(parents=True)
    cut = replace(OPTIONS, action="walk", clip_seconds=0.3)
    told = annotate_videos([path], root, cut).text()
    assert "1 video is cut otherwise: --redo cuts it and makes the labels anew" in told
    assert "kept 1 clip" in told and (root / "train_videos" / "walk" / "v.mp4").is_file()
    told = annotate_videos([path], root, replace(cut, redo=True)).text()
    assert "  walk: 2 train, 1 test" in told and "otherwise" not in told and "no test video" not in told
    names = {"v_clip001": "train", "v_clip002": "train", "v_clip003": "test"}
    expected = {f"{split}_videos/walk/{name}.mp4" for name, split in names.items()}
    expected |= {f"{split}_annotations/walk/{name}" for name, split in names.items()}
    expected |= {f"annotate/{kind}" for name in names for kind in (f"done/{name}.json", f"poses/{name}.npz")}
    assert files_of(root) == expected and not list((root / "train_frames" / "walk").iterdir())
    rows = read_frame_list(root / "list" / "video_train_flist.csv").rows
    assert [(row.name, row.num_frames) for row in rows] == [("v_clip001", 3), ("v_clip002", 3)]


def test_a_run_stopped_while_videos_are_cut_anew_leaves_a_whole_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, root = make_video(tmp_path / "v.mp4", 9), tmp_path / "set"
    annotate_videos([path], root, replace(OPTIONS, action="walk"))
    before = files_of(root)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dataset, "write_sources", stop)
        with pytest.raises(KeyboardInterrupt):
            annotate_videos([path], root, replace(OPTIONS, action="walk", clip_seconds=0.3, redo=True))
    annotate_videos([path], root, replace(OPTIONS, action="walk"))
    assert files_of(root) == before
    assert len(read_frame_list(root / "list" / "video_train_flist.csv").rows) == 1


def test_a_video_named_as_anothers_clip_is_not_lost(tmp_path: Path) -> None:
    make_video(tmp_path / "raw" / "a" / "v.mp4", 6)
    make_video(tmp_path / "raw" / "b" / "v_clip001.mp4", 4)
    root = tmp_path / "set"
    summary = annotate_videos([tmp_path / "raw"], root, replace(OPTIONS, clip_seconds=0.3))
    found = {path.stem: Video(path).num_frames for path in root.glob("*_videos/*/*.mp4")}
    assert found == {"v_clip001": 3, "v_clip002": 3, "b_v_clip001": 4} and len(summary.clips) == 3


def test_an_action_whose_first_video_is_one_clip_gets_a_test_video(tmp_path: Path) -> None:
    raw, root = tmp_path / "raw" / "walk", tmp_path / "set"
    options = replace(OPTIONS, clip_seconds=5.0)
    make_video(raw / "1.mp4", 4)
    told = annotate_videos([raw.parent], root, options).text()
    assert "parts of one video" not in told and "there is no test video" in told
    make_video(raw / "2.mp4", 5)
    make_video(raw / "3.mp4", 6)
    told = annotate_videos([raw.parent], root, options).text()
    assert "  walk: 2 train, 1 test" in told and "parts of one video" not in told and "no test video" not in told


def test_a_replaced_video_is_told_and_with_redo_labelled(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    annotate_videos([raw], root, OPTIONS)
    names = {path.stem for path in root.glob("*_videos/*/*")}
    make_video(raw / "walk" / "ü.mp4", 11)
    summary = annotate_videos([raw], root, OPTIONS)
    [problem] = summary.problems
    assert problem.path.name == "ü.mp4" and "is not the video that was labelled as ü" in problem.message
    assert {path.stem for path in root.glob("*_videos/*/*")} == names and len(summary.clips) == 3
    summary = annotate_videos([raw], root, replace(OPTIONS, redo=True))
    assert not len(summary.problems) and {path.stem for path in root.glob("*_videos/*/*")} == names
    [video], [folder] = root.glob("*_videos/walk/ü.mp4"), root.glob("*_annotations/walk/ü")
    assert Video(video).num_frames == len(list(folder.iterdir())) == 11
    lists = [read_frame_list(path).rows for path in (root / "list").glob("*.csv")]
    assert [row.num_frames for rows in lists for row in rows if row.name == "ü"] == [11]


def test_lost_annotations_are_told(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    annotate_videos([raw], root, OPTIONS)
    [folder] = root.glob("*_annotations/walk/ü")
    (folder / "img_00002.json").unlink()
    [problem] = annotate_videos([raw], root, OPTIONS).problems
    assert problem.message == "ü has labels of 6 of 7 frames: restore them, or --redo"


def test_the_bar_is_never_more_than_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_video(tmp_path / "v.mp4", 3)
    shares = [Progress(0.7), Progress(0.2), Progress(0.1 + 1e-9)]
    monkeypatch.setattr(dataset, "run_processes", lambda *_: ((0, share) for share in shares))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        annotate_videos([path], tmp_path / "set", Options(action="walk", review=False))
    assert "100%" in capsys.readouterr().err


def test_own_rules_decide_the_list_of_states(raw: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    groups = ("head", "hip", "arm", "hand", "leg", "foot")
    rules.write_text("".join(f"{group}:\n  - watch: otherwise\n" for group in groups))
    annotate_videos([raw], tmp_path / "set", Options(review=False, progress=False, rules=rules))
    assert (tmp_path / "set" / "list" / "part_stat.txt").read_text() == "none\nothers\nwatch\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (Options(test_share=1.0), "test share is 1.0"),
        (Options(test_share=float("nan")), "test share is nan"),
        (Options(clip_seconds=0.0), "clip seconds are 0.0"),
        (Options(min_visibility=1.5), "least visibility is 1.5"),
        (Options(pose=PoseOptions(tiles="3")), "tiles '3' are not known"),
        (Options(pose=PoseOptions(min_seconds=-1.0)), "least seconds are -1.0"),
        (Options(rules=Path("none.yaml")), "none.yaml cannot be read"),
    ],
)
def test_options_that_cannot_be_used(raw: Path, tmp_path: Path, options: Options, told: str) -> None:
    with pytest.raises(InputError, match=told):
        annotate_videos([raw], tmp_path / "set", options)
    assert not (tmp_path / "set").exists()
