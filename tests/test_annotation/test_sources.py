from collections import Counter
from pathlib import Path

import pytest

from tpsparse.annotation.sources import (
    Source,
    find_videos,
    plan_sources,
    read_sources,
    write_sources,
)
from tpsparse.datasets.problems import ProblemLog
from tpsparse.errors import InputError


def touch(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or str(path))
    return path


def plan(videos: dict[Path, str], known=(), *, problems: ProblemLog | None = None, test_share: float = 0.25, **options):
    log = ProblemLog() if problems is None else problems
    return plan_sources(videos, known, test_share=test_share, problems=log, **options)


def test_folders_inside_the_folder_are_the_actions(tmp_path: Path) -> None:
    for name in (
        "hurling_(sport)/b.mp4",
        "hurling_(sport)/a clip.MOV",
        "üben/deep/c.webm",
        "üben/.d.mp4",
        "üben/x.txt",
    ):
        touch(tmp_path / name)
    found = find_videos([tmp_path])
    assert [(str(path.relative_to(tmp_path)), action) for path, action in found.items()] == [
        ("hurling_(sport)/a clip.MOV", "hurling_(sport)"),
        ("hurling_(sport)/b.mp4", "hurling_(sport)"),
        ("üben/deep/c.webm", "üben"),
    ]


def test_an_action_for_all(tmp_path: Path) -> None:
    file, other = touch(tmp_path / "a.mp4"), touch(tmp_path / "f" / "walk" / "b.mp4")
    assert find_videos([file, tmp_path / "f"], action="salsa dancing") == {
        file: "salsa dancing",
        other: "salsa dancing",
    }
    assert list(find_videos([file, tmp_path], action="x")) == [file, other], "a video given twice is one"


def test_the_data_set_itself_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "walk" / "a.mp4")
    touch(tmp_path / "set" / "train_videos" / "walk" / "a.mp4")
    assert len(find_videos([tmp_path], leave_out=tmp_path / "set")) == 1


def test_what_cannot_be_understood_is_told(tmp_path: Path) -> None:
    file = touch(tmp_path / "videos" / "a.mp4")
    with pytest.raises(InputError, match="a.mp4 is in no action's folder: give --action NAME"):
        find_videos([file])
    with pytest.raises(InputError, match="a.mp4 is in no action's folder"):
        find_videos([tmp_path / "videos"])
    with pytest.raises(InputError, match="none is missing"):
        find_videos([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty has no video"):
        find_videos([tmp_path / "empty"])
    for action in ("", " ", "a/b", ".hidden", "a "):
        with pytest.raises(InputError, match="cannot be the name of a folder"):
            find_videos([file], action=action)


@pytest.mark.parametrize(
    ("videos", "share", "tests"),
    [(1, 0.25, 0), (2, 0.25, 1), (4, 0.25, 1), (5, 0.25, 1), (8, 0.25, 2), (3, 0.99, 2), (9, 0.01, 1), (4, 0.0, 0)],
)
def test_how_many_videos_of_an_action_are_for_testing(tmp_path: Path, videos: int, share: float, tests: int) -> None:
    given = {touch(tmp_path / f"{i}.mp4", "x" * (i + 1)): "walk" for i in range(videos)}
    splits = Counter(source.split for source in plan(given, test_share=share).values())
    assert splits["test"] == tests and splits["train"] == videos - tests


def test_the_choice_follows_from_seed_and_names_alone(tmp_path: Path) -> None:
    given = {touch(tmp_path / f"{i}.mp4", "x" * (i + 1)): "walk" for i in range(12)}
    chosen = {seed: [s.name for s in plan(given, seed=seed).values() if s.split == "test"] for seed in (0, 1)}
    backwards = plan(dict(reversed(given.items())))
    assert {s.name for s in backwards.values() if s.split == "test"} == set(chosen[0])
    assert set(chosen[0]) != set(chosen[1])


def test_later_videos_do_not_move_earlier_ones(tmp_path: Path) -> None:
    given = {touch(tmp_path / f"{i}.mp4", "x" * (i + 1)): "walk" for i in range(4)}
    before = plan(given)
    given |= {touch(tmp_path / f"{i}.mp4", "x" * (i + 1)): "walk" for i in range(4, 8)}
    after = plan(given, before.values())
    assert all(after[path] == source for path, source in before.items())
    assert Counter(s.split for s in after.values()) == {"train": 6, "test": 2}


def test_names_are_unique_and_stay(tmp_path: Path) -> None:
    paths = [touch(tmp_path / folder / "001.mp4", folder * 3) for folder in ("a", "bb", "ccc")]
    given = dict(zip(paths, ("run", "walk", "walk")))
    names = [source.name for source in plan(given).values()]
    assert names == ["001", "walk_001", "walk_001_2"]
    known = plan({paths[1]: "walk"})
    assert known[paths[1]].name == "001"
    again = plan(given, known.values())
    assert [again[path].name for path in paths] == ["run_001", "001", "walk_001"]


def test_the_same_video_twice_is_a_problem_and_under_two_actions_it_is_two(tmp_path: Path) -> None:
    first, second = touch(tmp_path / "x" / "a.mp4", "same"), touch(tmp_path / "y" / "a.mp4", "same")
    problems = ProblemLog()
    assert list(plan({first: "walk", second: "walk"}, problems=problems)) == [first]
    assert [problem.path for problem in problems] == [second]
    assert len(plan({first: "walk", second: "run"})) == 2


def test_the_single_video_of_an_action_that_is_cut_is_in_both_splits(tmp_path: Path) -> None:
    one, two, three = (touch(tmp_path / f"{i}.mp4", "x" * i) for i in (1, 2, 3))
    planned = plan({one: "walk", two: "run", three: "run"}, clip_seconds=2.0)
    assert planned[one].split == "both" and {planned[two].split, planned[three].split} == {"train", "test"}
    assert planned[one].clip_splits(8) == ["train"] * 6 + ["test"] * 2
    assert planned[one].clip_splits(2) == ["train", "test"]
    assert planned[one].clip_splits(1) == ["train"]
    assert planned[two].clip_splits(2) == [planned[two].split] * 2
    assert plan({one: "walk"}, clip_seconds=2.0, test_share=0)[one].split == "train"
    assert plan({one: "walk"})[one].split == "train", "a whole video cannot be parted"


def test_a_second_video_joins_the_one_in_both_splits(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "1.mp4"), touch(tmp_path / "2.mp4")
    known = plan({one: "walk"}, clip_seconds=2.0)
    assert plan({one: "walk", two: "walk"}, known.values(), clip_seconds=2.0)[two].split == "train"


def test_decisions_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "annotate" / "videos.json"
    assert read_sources(path) == []
    sources = [Source("ä (1).mp4", 12, "walk", "ä (1)", "train"), Source("b.mov", 1, "run", "b", "both", 2.5, 0.25)]
    write_sources(path, sources)
    assert read_sources(path) == sources
    path.write_text('[{"file": 1}]')
    with pytest.raises(InputError, match="videos.json cannot be read"):
        read_sources(path)
