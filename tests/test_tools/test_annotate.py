"""The script itself; with MediaPipe from one end to the other on a few frames of real footage."""

import json
from pathlib import Path

import pytest

from tpsparse.datasets.video import Video
from tpsparse.visualization import write_video

FOOTAGE = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"


def test_measures_are_listed(run_tool, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run_tool("annotate", "--list-measures")
    assert left.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("elbow_angle ") and "arm, hand: degrees" in line for line in lines)


@pytest.mark.parametrize("given", [["--step", "0"], ["--workers", "x"], []])
def test_options_that_are_not_understood(run_tool, tmp_path: Path, given: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run_tool("annotate", tmp_path, *given, *(["--out", tmp_path] if given else []))
    assert left.value.code == 2


def test_without_mediapipe_the_command_is_told(
    run_tool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tpsparse.poses import mediapipe

    def missing(name: str) -> str:
        raise mediapipe.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(mediapipe.metadata, "version", missing)
    assert run_tool("annotate", tmp_path, "--out", tmp_path / "set") == 2
    assert "mediapipe is not installed, which finds people in videos: run make annotate" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """The first frames of real footage, twice, and a broken file, by action."""
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed: run make annotate")
    path = FOOTAGE / "demo_skeleton.mp4"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    video = Video(path)
    for name, first in (("zwei (1)", 1), ("zwei (2)", 20)):
        frames = (image[::2, ::2] for number, image in video.decode(first + 5) if number >= first)
        write_video(tmp_path / "raw" / "patting back" / f"{name}.mp4", frames, video.fps)
    (tmp_path / "raw" / "patting back" / "broken.mp4").write_text("no")
    return tmp_path / "raw"


def test_real_footage_becomes_a_data_set(
    run_tool, footage: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "set"
    assert run_tool("annotate", footage, "--out", root, "--workers", 1, "--tiles", "none", "--step", 2) == 3
    told = capfd.readouterr()
    assert "labelled 2 clips: 12 frames, 4 persons" in told.out
    assert "broken.mp4: is not a video that can be read" in told.err
    assert "INFO" not in told.err and "W0000" not in told.err, "MediaPipe's own noise"
    for name in ("zwei (1)", "zwei (2)"):
        [folder] = root.glob(f"*_annotations/patting back/{name}")
        frames = [json.loads(path.read_text()) for path in sorted(folder.iterdir())]
        assert [[human["number"] for human in frame["humans"]] for frame in frames] == [[1, 2]] * 6
        assert all("left_leg" in human["parts"] for frame in frames for human in frame["humans"])
        assert (root / "review" / f"{name}.mp4").is_file()
    assert run_tool("annotate", footage, "--out", root) == 3
    assert "kept 2 clips that were labelled before" in capfd.readouterr().out


def test_a_run_that_can_do_nothing_leaves_nothing(run_tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed: run make annotate")
    (tmp_path / "broken.mp4").write_text("no")
    given = ("annotate", tmp_path, "--out", tmp_path / "set", "--action")
    assert run_tool(*given, "new\nline") == 2
    assert "action 'new\\nline' cannot be the name of a folder" in capsys.readouterr().err
    assert run_tool(*given, "walk") == 2
    told = capsys.readouterr()
    assert told.out == "no video could be labelled\n" and "broken.mp4: is not a video" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]
