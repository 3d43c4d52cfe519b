from __future__ import annotations

from pathlib import Path

from tpsparse.datasets.problems import ProblemLog

A, B = Path("a.mp4"), Path("b.json")


def reported(log, monkeypatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr("mmengine.logging.print_log", lambda line, **kwargs: lines.append(line))
    log.report("index of here")
    return lines


def test_each_is_kept_once_in_order():
    log = ProblemLog()
    assert log.add("video", A, "is empty") and log.add("frame", B, "is missing")
    assert not log.add("video", A, "is empty")
    told = ["a.mp4: is empty (skipped: video)", "b.json: is missing (skipped: frame)"]
    assert [str(problem) for problem in log] == told
    assert len(log) == 2


def test_report_lists_and_counts(monkeypatch):
    log = ProblemLog()
    log.add("video", A, "is empty")
    log.add("frame", B, "is missing")
    log.add("frame", A, "is missing")
    *listed, counts = reported(log, monkeypatch)
    assert listed == [str(problem) for problem in log]
    assert counts == "index of here: skipped 1 video, 2 frames, listed above"


def test_nothing_to_report(monkeypatch):
    assert reported(ProblemLog(), monkeypatch) == []
