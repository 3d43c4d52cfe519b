from collections import Counter
from pathlib import Path

import pytest

from tpsparse.annotation.sources import (
    Choice,
    Plan,
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


def whole_plan(
    videos: dict[Path, str], known=(), *, clips: int | None = 1, problems: ProblemLog | None = None, others=(), **choice
) -> Plan:
    """A plan in which every video that is looked at gives so many clips."""
    log = ProblemLog() if problems is None else problems
    return plan_sources(
        videos, known, Choice(**choice), count_clips=lambda path, seconds: clips, others=others, problems=log
    )


def plan(videos: dict[Path, str], known=(), **options) -> dict[Path, Source]:
    return whole_plan(videos, known, **options).sources


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
    for action in ("", " ", "a/b", ".hidden", "a ", "new\nline", "tab\t1", "bell\x07", "half \ud800"):
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
    planned = plan({one: "walk", two: "run", three: "run"}, clip_seconds=2.0, clips=8)
    assert planned[one].split == "both" and {planned[two].split, planned[three].split} == {"train", "test"}
    assert [split for _, split in planned[one].clips()] == ["train"] * 6 + ["test"] * 2
    assert [name for name, _ in planned[one].clips()][::7] == ["1_clip001", "1_clip008"]
    assert planned[two].clips() == [(f"2_clip{i:03d}", planned[two].split) for i in range(1, 9)]
    two_clips = plan({one: "walk"}, clip_seconds=2.0, clips=2)[one]
    assert [split for _, split in two_clips.clips()] == ["train", "test"]
    assert plan({one: "walk"}, clip_seconds=2.0, clips=8, test_share=0)[one].split == "train"
    assert plan({one: "walk"})[one].split == "train", "a whole video cannot be parted"


def test_a_single_video_that_gives_one_clip_is_not_shared(tmp_path: Path) -> None:
    one, two, three = (touch(tmp_path / f"{i}.mp4") for i in (1, 2, 3))
    known = plan({one: "walk"}, clip_seconds=5.0)
    assert known[one].clips() == [("1", "train")]
    later = plan({one: "walk", two: "walk", three: "walk"}, known.values(), clip_seconds=5.0)
    assert Counter(source.split for source in later.values()) == {"train": 2, "test": 1}


def test_a_second_video_joins_the_one_in_both_splits(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "1.mp4"), touch(tmp_path / "2.mp4")
    known = plan({one: "walk"}, clip_seconds=2.0, clips=4)
    assert plan({one: "walk", two: "walk"}, known.values(), clip_seconds=2.0, clips=4)[two].split == "train"


def all_names(planned: dict[Path, Source]) -> list[str]:
    return [name for source in planned.values() for name, _ in source.clips()]


def test_no_clip_has_the_name_of_another_video(tmp_path: Path) -> None:
    cut, clash = touch(tmp_path / "v.mp4"), touch(tmp_path / "v_clip001.mp4")
    both = plan({cut: "a", clash: "a"}, clips=2)
    assert all_names(both) == ["v_clip001", "v_clip002", "a_v_clip001_clip001", "a_v_clip001_clip002"]
    whole = plan({clash: "b"})
    later = plan({clash: "b", cut: "a"}, whole.values(), clips=2)
    assert all_names(later) == ["v_clip001", "a_v_clip001", "a_v_clip002"]
    known = plan({cut: "a"}, clips=2)
    later = plan({cut: "a", clash: "a"}, known.values())
    assert all_names(later) == ["v_clip001", "v_clip002", "a_v_clip001"]
    assert later[clash].name == "a_v_clip001"


def test_names_of_videos_that_were_there_before_are_not_taken(tmp_path: Path) -> None:
    path = touch(tmp_path / "v.mp4")
    assert plan({path: "a"}, others=["v"])[path].name == "a_v"
    assert plan({path: "a"}, others=["v_clip002"], clips=2)[path].name == "a_v"


def test_videos_that_would_be_cut_otherwise_stay_until_they_are_decided_anew(tmp_path: Path) -> None:
    path = touch(tmp_path / "v.mp4")
    known = list(plan({path: "a"}).values())
    stays = whole_plan({path: "a"}, known, clip_seconds=0.3, clips=3)
    assert stays == Plan({path: known[0]}, [], 1)
    anew = whole_plan({path: "a"}, known, clip_seconds=0.3, clips=3, redo=True)
    assert anew.dropped == known and anew.cut_otherwise == 0
    assert anew.sources[path].clips() == [("v_clip001", "train"), ("v_clip002", "train"), ("v_clip003", "test")]
    cut = list(anew.sources.values())
    for same in (
        whole_plan({path: "a"}, cut, clips=1, redo=True),  # without --clip-seconds: as before
        whole_plan({path: "a"}, cut, clip_seconds=0.29, clips=3, redo=True),  # comes to the same clips
    ):
        assert same == Plan({path: cut[0]}, [], 0)


def test_a_replaced_video_is_told_and_takes_the_place_of_the_old_one_when_asked(tmp_path: Path) -> None:
    path, other = touch(tmp_path / "v.mp4", "old"), touch(tmp_path / "w.mp4")
    known = plan({path: "a", other: "a"})
    old = known[path]
    touch(path, "new")
    problems = ProblemLog()
    kept = whole_plan({path: "a", other: "a"}, known.values(), problems=problems)
    assert list(kept.sources) == [other] and not kept.dropped
    [problem] = problems
    assert problem.path == path and "is not the video that was labelled as v: --redo puts it in" in problem.message
    anew = whole_plan({path: "a", other: "a"}, known.values(), redo=True)
    assert anew.dropped == [old]
    assert (anew.sources[path].name, anew.sources[path].split) == ("v", old.split)
    assert anew.sources[path].digest != old.digest


def test_a_change_that_leaves_the_size_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    for size in (1, 100, 3 << 18, 1 << 22):
        for place in (0, size // 2, size - 1):
            content = bytearray(size)
            path.write_bytes(content)
            known = plan({path: "a"})
            content[place] = 1
            path.write_bytes(content)
            assert plan({path: "a"}, known.values()) == {}


def test_a_copied_or_moved_video_is_the_same(tmp_path: Path) -> None:
    path, moved = touch(tmp_path / "x" / "v.mp4", "same"), touch(tmp_path / "y" / "v.mp4", "same")
    known = plan({path: "a"})
    assert list(plan({moved: "a"}, known.values()).values()) == list(known.values())


def test_videos_that_cannot_be_read_or_listed_take_no_place(tmp_path: Path) -> None:
    good, bad = touch(tmp_path / "a.mp4"), touch(tmp_path / "b\n.mp4")
    problems = ProblemLog()
    assert list(plan({good: "walk", bad: "walk"}, problems=problems)) == [good]
    assert [problem.message for problem in problems] == ["has a name that no list can hold: rename it"]
    assert plan({good: "walk"}, clips=None) == {}


def test_a_folder_that_cannot_be_an_action_is_told(tmp_path: Path) -> None:
    touch(tmp_path / "new\nline" / "a.mp4")
    with pytest.raises(InputError, match=r"new\\nline' cannot be an action's name: rename the folder") as told:
        find_videos([tmp_path])
    assert "\n" not in str(told.value)


def test_decisions_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "annotate" / "videos.json"
    assert read_sources(path) == []
    sources = [
        Source("ä (1).mp4", "0a", "walk", "ä (1)", "train"),
        Source("b.mov", "1b", "run", "b", "both", 4, 2.5, 0.25),
    ]
    write_sources(path, sources)
    assert read_sources(path) == sources
    path.write_text('[{"file": 1}]')
    with pytest.raises(InputError, match="videos.json cannot be read"):
        read_sources(path)
