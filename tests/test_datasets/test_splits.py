from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tpsparse.datasets.splits import read_split, shares, split_file, write_splits
from tpsparse.errors import InputError

# Official training videos of the 24 actions, made up but for their sum, which is the real one.
OFFICIAL_COUNTS = [
    95,
    210,
    180,
    160,
    150,
    200,
    120,
    110,
    170,
    140,
    130,
    190,
    150,
    160,
    170,
    180,
    140,
    200,
    190,
    160,
    150,
]
OFFICIAL_COUNTS += [180, 174, 100]


def make_videos(root: Path, counts: dict[str, int]) -> Path:
    """Empty files are enough: only their names are looked at."""
    for action, count in counts.items():
        folder = root / "train_videos" / action
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{action} {number:03d}.mp4").touch()
    return root


def read(root: Path, name: str) -> dict:
    return json.loads(split_file(root, name).read_text(encoding="utf-8"))


def per_action(videos: list[str]) -> Counter:
    return Counter(video.split("/")[0] for video in videos)


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many training videos as Kinetics-TPS has. Not to be changed."""
    assert sum(OFFICIAL_COUNTS) == 3809 and len(OFFICIAL_COUNTS) == 24
    counts = {f"action_{i:02d}": count for i, count in enumerate(OFFICIAL_COUNTS)}
    root = make_videos(tmp_path_factory.mktemp("official"), counts)
    write_splits(root, folds=5)
    return root


@pytest.mark.parametrize(("name", "train", "val"), [("dap", 2686, 1123), ("runner_up", 3000, 809), ("all", 3809, 0)])
def test_official_sizes(official, name, train, val):
    subsets = read(official, name)["subsets"]
    assert (len(subsets["train"]), len(subsets["val"])) == (train, val)
    assert len(set(subsets["train"]) | set(subsets["val"])) == 3809


@pytest.mark.parametrize(("name", "val"), [("dap", 1123), ("runner_up", 809)])
def test_every_action_has_its_share(official, name, val):
    held = per_action(read(official, name)["subsets"]["val"])
    for i, count in enumerate(OFFICIAL_COUNTS):
        assert abs(held[f"action_{i:02d}"] - count * val / 3809) < 1


def test_folds_hold_every_video_once(official):
    subsets = read(official, "5fold")["subsets"]
    assert list(subsets) == ["0", "1", "2", "3", "4"]
    assert sorted(map(len, subsets.values())) == [761, 762, 762, 762, 762]
    assert len({video for videos in subsets.values() for video in videos}) == 3809
    for i, count in enumerate(OFFICIAL_COUNTS):
        sizes = [per_action(videos)[f"action_{i:02d}"] for videos in subsets.values()]
        assert sum(sizes) == count and max(sizes) - min(sizes) <= 1


def test_folds_are_read_as_train_and_val(official):
    val, train = read_split(official, "5fold/2/val"), read_split(official, "5fold/2/train")
    assert val == read(official, "5fold")["subsets"]["2"]
    assert len(train) + len(val) == 3809 and not set(train) & set(val) and train == sorted(train)


def test_val_of_one_report_is_hardly_trained_on_by_the_other(official):
    dap, runner_up = (set(read_split(official, f"{name}/val")) for name in ("dap", "runner_up"))
    assert len(runner_up - dap) == 0  # every action's share is the smaller one, and the order is the same


def test_file_says_where_it_comes_from(official):
    document = read(official, "dap")
    assert document["name"] == "dap" and document["seed"] == 0
    assert "2,686 train and 1,123 val" in document["source"] and "never published" in document["note"]
    lines = split_file(official, "dap").read_text().splitlines()
    assert sum(".mp4" in line for line in lines) == 3809 and max(line.count(".mp4") for line in lines) == 1


def moved(before: dict, after: dict) -> int:
    """Videos that changed subset, not counting those that are new."""
    where = {video: subset for subset, videos in before["subsets"].items() for video in videos}
    again = {video: subset for subset, videos in after["subsets"].items() for video in videos}
    return sum(again[video] != subset for video, subset in where.items())


@pytest.mark.parametrize(("name", "limit"), [("dap", 3), ("4fold", 9)])
def test_one_more_video_moves_few_others(tmp_path, name, limit):
    make_videos(tmp_path, {"lunge": 40, "pull_ups": 61, "push_up": 33})
    write_splits(tmp_path, folds=4)
    before = read(tmp_path, name)
    (tmp_path / "train_videos" / "lunge" / "another.mp4").touch()
    write_splits(tmp_path, folds=4, overwrite=True)
    assert moved(before, read(tmp_path, name)) <= limit


def test_order_is_that_of_the_hash(tmp_path):
    from hashlib import sha256

    make_videos(tmp_path, {"lunge": 10})
    write_splits(tmp_path, names=["dap"], seed=7)
    names = [f"lunge {i:03d}" for i in range(10)]
    first = sorted(names, key=lambda name: sha256(f"7/lunge/{name}".encode()).hexdigest())
    # 10 x 1123 / 3809 = 2.95
    assert read_split(tmp_path, "dap/val") == sorted(f"lunge/{name}.mp4" for name in first[:3])


def test_seed_decides(tmp_path):
    make_videos(tmp_path, {"lunge": 20})
    write_splits(tmp_path, names=["dap"])
    zero = read_split(tmp_path, "dap/val")
    write_splits(tmp_path, names=["dap"], seed=1, overwrite=True)
    assert read_split(tmp_path, "dap/val") != zero
    write_splits(tmp_path, names=["dap"], overwrite=True)
    assert read_split(tmp_path, "dap/val") == zero


def test_container_and_accents_do_not_count(tmp_path):
    composed, apart = "größe", "gro\u0308ße"
    roots = []
    for name, suffix in ((composed, ".mp4"), (apart, ".webm")):
        root = tmp_path / suffix
        make_videos(root, {"lunge": 9})
        (root / "train_videos" / "lunge" / f"{name}{suffix}").touch()
        write_splits(root, names=["dap"])
        roots.append(root)
    sides = [["ße" in "".join(read_split(root, f"dap/{side}")) for side in ("train", "val")] for root in roots]
    assert sides[0] == sides[1]


@pytest.mark.parametrize(
    ("counts", "total", "expected"),
    [
        ([10, 10], 6, [3, 3]),
        ([10, 30], 4, [1, 3]),
        ([5, 5, 5], 4, [2, 1, 1]),  # a tie: the earlier group
        ([7, 3], 5, [4, 1]),  # 3.5 and 1.5 tie
        ([2, 2, 2], 1, [1, 1, 1]),  # each gives one, whatever the total
        ([2, 2, 2], 6, [1, 1, 1]),  # and keeps one
        ([1, 100], 30, [0, 30]),  # a single one stays
        ([1, 1], 1, [0, 0]),
        ([2, 98], 1, [1, 1]),
        ([2, 98], 10, [1, 9]),  # 0.2 becomes 1, the large group makes room
        ([4], 4, [3]),
    ],
)
def test_shares(counts, total, expected):
    assert shares(counts, total) == expected


def test_small_set_has_both_sides_of_every_action(tiny_copy):
    lines = write_splits(tiny_copy)  # two videos of each of three actions
    for subset in ("dap/train", "dap/val", "runner_up/train", "runner_up/val"):
        assert per_action(read_split(tiny_copy, subset)) == {"lunge": 1, "pull_ups": 1, "push_up": 1}
    assert read_split(tiny_copy, "all/val") == [] and len(read_split(tiny_copy, "all/train")) == 6
    assert [line.partition(": ")[2] for line in lines] == [
        "train 3, val 3 videos",
        "train 3, val 3 videos",
        "train 6, val 0 videos",
    ]


def test_single_video_of_an_action_is_trained_on(tmp_path):
    make_videos(tmp_path, {"hurling_(sport)": 1, "lunge": 2})
    write_splits(tmp_path)
    assert "hurling_(sport)/hurling_(sport) 000.mp4" in read_split(tmp_path, "dap/train")
    assert per_action(read_split(tmp_path, "dap/val")) == {"lunge": 1}


def test_same_files_are_kept(tmp_path):
    make_videos(tmp_path, {"lunge": 5})
    write_splits(tmp_path)
    path = split_file(tmp_path, "dap")
    os.utime(path, (1, 1))
    lines = write_splits(tmp_path)
    assert path.stat().st_mtime == 1 and all(line.endswith("(there already)") for line in lines)


@pytest.mark.parametrize("content", ['{"subsets": {"train": ["lunge/other.mp4"], "val": []}}', "{", "[]", ""])
def test_other_file_is_refused_and_nothing_written(tmp_path, content):
    make_videos(tmp_path, {"lunge": 5})
    path = split_file(tmp_path, "runner_up")
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InputError, match="lists other videos: keep it, or replace it with --overwrite"):
        write_splits(tmp_path)
    assert path.read_text() == content and list(path.parent.iterdir()) == [path]
    write_splits(tmp_path, overwrite=True)
    assert len(read_split(tmp_path, "runner_up/train")) == 4


@pytest.mark.parametrize("folds", [0, 1, 6])
def test_folds_that_cannot_be(tmp_path, folds):
    make_videos(tmp_path, {"lunge": 5})
    with pytest.raises(InputError, match=f"{folds}fold.json cannot be drawn from 5 videos: give between 2"):
        write_splits(tmp_path, folds=folds)
    assert not (tmp_path / "splits").exists()


def test_as_many_folds_as_videos(tmp_path):
    make_videos(tmp_path, {"a": 1, "b": 3, "c": 1})
    write_splits(tmp_path, names=[], folds=5)
    assert [len(read_split(tmp_path, f"5fold/{fold}/val")) for fold in range(5)] == [1] * 5


def test_unknown_name(tmp_path):
    make_videos(tmp_path, {"lunge": 5})
    with pytest.raises(InputError, match="winner.json is not a split that can be drawn: use dap, runner_up, all"):
        write_splits(tmp_path, names=["dap", "winner"])
    assert not (tmp_path / "splits").exists()


def test_no_videos(tmp_path):
    with pytest.raises(InputError, match="train_videos is missing"):
        write_splits(tmp_path)
    (tmp_path / "train_videos" / "lunge").mkdir(parents=True)
    with pytest.raises(InputError, match="train_videos has no videos: put them at"):
        write_splits(tmp_path)


def test_name_that_is_not_text(tmp_path):
    make_videos(tmp_path, {"lunge": 2})
    try:
        open(os.fsencode(tmp_path / "train_videos" / "lunge") + b"/\xff.mp4", "w").close()
    except OSError:
        pytest.skip("this file system has no such names")
    write_splits(tmp_path, names=["all"])  # the index tells of it
    assert read_split(tmp_path, "all/train") == ["lunge/lunge 000.mp4", "lunge/lunge 001.mp4"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_official_splits_have_no_list(tmp_path, split):
    assert read_split(tmp_path, split) is None


@pytest.mark.parametrize("split", ["val", "dap", "", "dap/", "../dap/val", "/val", "..//val"])
def test_unknown_split(tmp_path, split):
    with pytest.raises(InputError, match="has no split .*: use train, test, or one of a file in"):
        read_split(tmp_path, split)


@pytest.mark.parametrize(
    ("split", "remedy"),
    [
        ("dap/val", "write it with `python tools/prepare_data.py splits .* --names dap`"),
        ("7fold/0/val", "write it with `python tools/prepare_data.py splits .* --folds 7`"),
        ("mine/val", "put the split there, or use one of dap, runner_up, all and <k>fold"),
    ],
)
def test_missing_file(tmp_path, split, remedy):
    with pytest.raises(InputError, match=f"{split.split('/')[0]}.json is missing: {remedy}"):
        read_split(tmp_path, split)


@pytest.mark.parametrize(
    ("split", "known"),
    [
        ("dap/test", "train, val"),
        ("dap/0/val", "train, val"),
        ("2fold/0", "0/train, 0/val, 1/train, 1/val"),
        ("2fold/2/val", "0/train, 0/val, 1/train, 1/val"),
        ("2fold/0/test", "0/train"),
    ],
)
def test_unknown_subset(tmp_path, split, known):
    make_videos(tmp_path, {"lunge": 5})
    write_splits(tmp_path, folds=2)
    with pytest.raises(InputError, match=f"has no subset .*: use one of {known}"):
        read_split(tmp_path, split)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        "null",
        '{"subsets": {}}',
        '{"subsets": ["lunge/a.mp4"]}',
        '{"subsets": {"val": "lunge/a.mp4"}}',
        '{"subsets": {"val": ["a.mp4"]}}',
        '{"subsets": {"val": ["lunge/"]}}',
        '{"subsets": {"val": [3]}}',
        "[" * 100_000,
    ],
)
def test_broken_file(tmp_path, content):
    path = split_file(tmp_path, "dap")
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(
        InputError, match=r"dap.json is not \{\"subsets\".*: restore it, or remove it and write it with"
    ):
        read_split(tmp_path, "dap/val")


def test_ones_own_split(tmp_path):
    path = split_file(tmp_path, "my.own-1")
    path.parent.mkdir()
    path.write_text('{"subsets": {"by hand": ["größe (2)/a b.mp4"]}}', encoding="utf-8")
    assert read_split(tmp_path, "my.own-1/by hand") == ["größe (2)/a b.mp4"]


def test_tool(run_tool, tiny_copy, capsys):
    assert run_tool("prepare_data", "splits", tiny_copy, "--folds", 2) == 0
    assert "2fold.json: 0 3, 1 3 videos" in capsys.readouterr().out
    assert run_tool("prepare_data", "splits", tiny_copy, "--seed", 5, "--names", "dap", "--overwrite") == 0
    assert run_tool("prepare_data", "splits", tiny_copy, "--names", "first") == 2
    assert "use dap, runner_up, all" in capsys.readouterr().err
