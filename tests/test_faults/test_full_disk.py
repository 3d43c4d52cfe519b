"""A disk that is full: one line says which file and what to do, nothing half-written stays, and with more room the same
command ends as if there had always been enough.

Each run is on a disk of some kilobytes in memory, which grows from one start to the next.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny
from fault_runs import Ended, Runs
from outcomes import differences, files, trained

from tpsparse.parsing.network import read_checkpoint

PLENTY = 1 << 14


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[int], None]]]:
    """A folder on a small disk, and what gives that disk another size in kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        if os.geteuid() != 0:
            raise PermissionError("not root")
        mount("-t", "tmpfs", "-o", "size=4k", "none", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a disk of its own: no tmpfs can be mounted here ({error})")
    try:
        yield folder, lambda size: mount("-o", f"remount,size={size}k", folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # this process may still look at a file there


def told_of(ended: Ended, out: Path) -> str:
    """The file or folder below ``out`` that a run on a full disk names in its one line."""
    assert ended.status == 2, ended.printed[-2000:]
    assert "Traceback" not in ended.printed
    lines = [line for line in re.split(r"[\n\r]", ended.printed) if "error: " in line]
    found = re.fullmatch(r".*error: (.+) cannot be written \(.*No space left on device\): make room.*", lines[-1])
    assert len(lines) == 1 and found is not None, lines
    return Path(found[1]).relative_to(out).as_posix()


def until_there_is_room(
    runs: Runs, command: list, out: Path, disk: tuple[Path, Callable[[int], None]], sizes: list[int]
) -> Iterator[str]:
    """Repeat a run on a disk of the given sizes, on which it must fail, and on one with room; what each names."""
    for size in [*sizes, PLENTY]:
        disk[1](size)
        ended = runs.finish(command[0], command[1:], out.parents[1] / f"{size}.log", out)
        assert tiny.leftovers(disk[0]) == []
        if size < PLENTY:
            yield told_of(ended, out)
    assert ended.status == 0, ended.printed[-2000:]


def test_training(runs, fusion, disk, tmp_path):
    whole, out = tmp_path / "whole", disk[0] / "run"
    assert runs.finish("train", [fusion, "--work-dir", whole], tmp_path / "whole.log", whole).status == 0
    command = ["train", fusion, "--work-dir", out, "--resume"]
    named = []
    # The log, the first checkpoint, the second, and the third, before which the first is not removed.
    for name in until_there_is_room(runs, command, out, disk, [8, 100, 270, 450]):
        named.append(name)
        assert all(read_checkpoint(str(path))["state_dict"] for path in out.glob("*.pth"))
    assert named == [".", "epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]
    assert differences(trained(out), trained(whole)) == []


def check_parsing(runs: Runs, command: list, disk, tmp_path: Path, sizes: list[int]) -> list[str]:
    """What a run with an ``--out`` names on disks of some sizes; what it leaves on each is whole."""
    whole, out = tmp_path / "whole", disk[0] / "out"
    ended = runs.finish(command[0], [*command[1:], "--out", whole], tmp_path / "whole.log", whole)
    assert ended.status == 0, ended.printed[-2000:]
    named, expected = [], files(whole)
    for name in until_there_is_room(runs, [*command, "--out", out], out, disk, sizes):
        named.append(name)
        assert files(out).items() <= expected.items()
    assert files(out) == expected
    return named


def test_test_of_a_system(runs, systems, disk, tmp_path):
    command = ["test", systems[1], "--work-dir", systems[1].parent / "work"]
    expected = ["parses/test/lunge_test_0.safetensors", "parses/test/push_up_test_0.safetensors"]
    expected += ["submission/pred_part_result.json", "submission.zip", "ground_truth/gt_part_result.json"]
    assert check_parsing(runs, command, disk, tmp_path, [4, 12, 16, 24, 28, 40]) == [*expected, "report.json"]


def test_parse_video(runs, systems, tiny_root, disk, tmp_path):
    command = ["parse_video", systems[0], tiny_root / "test_videos", "--work-dir", systems[0].parent / "work"]
    named = check_parsing(runs, [*command, "--every", 6, "--record"], disk, tmp_path, [8, 60])
    assert named[0] == "lunge_test_0/overlay.mp4" and named[1].startswith(("lunge_test_0/", "pull_ups_test_0/"))


def linked(root: Path, folder: Path) -> Path:
    """The data set in another folder, with neither index nor frames."""
    folder.mkdir()
    for path in root.iterdir():
        if not path.name.endswith(("index", "_frames")):
            (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.parametrize(
    ("command", "sizes", "made"),
    [
        ("index", [4, 20, 60, 80], ["index"]),
        ("frames", [4, 8, 100, 300], ["train_frames", "test_frames"]),
    ],
)
def test_prepared_data(runs, tiny_root, disk, tmp_path, command, sizes, made):
    whole, root = linked(tiny_root, tmp_path / "whole"), linked(tiny_root, disk[0] / "data")
    given = ["prepare_data", command, "--workers", 1]
    assert runs.finish(given[0], [*given[1:], whole], tmp_path / "whole.log", whole).status == 0
    images = {name: content for name, content in files(whole).items() if name.endswith(".jpg")}
    named = []
    for name in until_there_is_room(runs, [*given, root], root, disk, sizes):
        named.append(name)
        # Of the folders of videos, those that are whole have this file.
        done = [folder for path in root.rglob("video.json") for folder in [path.parent.relative_to(root).as_posix()]]
        there = {name for name in files(root) if name.endswith(".jpg") and name.rpartition("/")[0] in done}
        assert there == {name for name in images if name.rpartition("/")[0] in done}
    assert {name.split("/")[0] for name in named} <= set(made) and len(set(named)) > 1
    for folder in made:
        found, expected = files(root / folder), files(whole / folder)
        assert found.keys() == expected.keys() and len(found) > 5
        # The index and the manifests of frames say which folder they are of, and when its files were written.
        assert [name for name in found if name.endswith(".jpg") and found[name] != expected[name]] == []
