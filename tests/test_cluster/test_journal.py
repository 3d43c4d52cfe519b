"""Videos under way, and workers that have died on them."""

from __future__ import annotations

import pytest

from tpsparse.cluster import Folder, Item
from tpsparse.cluster.journal import MOST_LOSSES, Journal

VIDEO, OTHER = Item(1, "/v.mp4"), Item(2, "/w.mp4")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def files(folder):
    return sorted(str(path.relative_to(folder.root)) for path in folder.root.rglob("*") if path.is_file())


def test_nothing_stays_of_a_video_that_is_done(folder):
    journal = Journal(folder)
    journal.begin(VIDEO, dict(host="node", pid=7))
    assert files(folder) == [f"under_way/{VIDEO.key}.json"]
    journal.end(VIDEO)
    assert files(folder) == [] and not Journal(folder).suspects(VIDEO)


def test_a_driver_that_dies_says_nothing_against_a_video(folder):
    for _ in range(3):
        journal = Journal(folder)
        journal.begin(VIDEO, {})
    found = Journal(folder)
    assert found.left == {VIDEO.key} and found.suspects(VIDEO) and not found.suspects(OTHER)
    assert found.deaths(VIDEO) == []
    assert not found.died(VIDEO, "killed", with_machine=False)  # the first death of a worker


def test_second_death_across_drivers(folder):
    first = Journal(folder)
    first.begin(VIDEO, {})
    assert not first.died(VIDEO, "killed", with_machine=False)
    assert files(folder) == [f"deaths/{VIDEO.key}.json"]
    second = Journal(folder)
    assert second.suspects(VIDEO) and second.left == set()
    second.begin(VIDEO, {})
    assert second.died(VIDEO, "again", with_machine=False)
    assert [death["error"] for death in second.deaths(VIDEO)] == ["killed", "again"]
    second.end(VIDEO)
    assert files(folder) == [] and second.deaths(VIDEO) == []


def test_a_death_on_one_video_is_none_on_another(folder):
    journal = Journal(folder)
    assert not journal.died(VIDEO, "killed", with_machine=False)
    assert not journal.died(OTHER, "killed", with_machine=False)


def test_lost_machines_count_less(folder):
    journal = Journal(folder)
    verdicts = [journal.died(VIDEO, "gone", with_machine=True) for _ in range(MOST_LOSSES)]
    assert verdicts == [False] * (MOST_LOSSES - 1) + [True]
    assert not journal.died(OTHER, "gone", with_machine=True)
    assert not journal.died(OTHER, "killed", with_machine=False)
    assert journal.died(OTHER, "killed", with_machine=False)


def test_another_chance(folder):
    journal = Journal(folder)
    journal.died(VIDEO, "killed", with_machine=False)
    journal.forget(VIDEO)
    assert not journal.died(VIDEO, "killed", with_machine=False)


def test_a_torn_note_counts_as_none(folder):
    Journal(folder).died(VIDEO, "killed", with_machine=False)
    folder.deaths(VIDEO.key).write_text('{"deaths": [')
    assert Journal(folder).deaths(VIDEO) == []


def test_half_written_results_of_a_worker_that_dies_go(folder):
    journal = Journal(folder)
    place = folder.result(VIDEO.key).parent
    place.mkdir(parents=True)
    (place / f".{VIDEO.key}.1-2.partial.safetensors").touch()
    journal.begin(VIDEO, {})
    journal.died(VIDEO, "killed", with_machine=False)
    assert files(folder) == [f"deaths/{VIDEO.key}.json"]


def test_half_written_notes_of_a_driver_that_was_killed(folder):
    """They go, and are no videos."""
    journal = Journal(folder)
    journal.died(VIDEO, "killed", with_machine=False)
    note = folder.failure(OTHER.key)
    note.parent.mkdir(parents=True)
    note.touch()
    for path in (folder.deaths(OTHER.key), folder.failure(VIDEO.key), note):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f".{path.stem}.123-abcdef01.partial.json").write_text("{}")
    (folder.root / "under_way" / ".hidden.json").touch()
    found = Journal(folder)
    assert (found.left, found._dead) == (set(), {VIDEO.key})
    left = [f"deaths/{VIDEO.key}.json", f"failures/{note.parent.name}/{note.name}", "under_way/.hidden.json"]
    assert files(folder) == left


def test_half_written_results_of_what_was_under_way_go(folder):
    Journal(folder).begin(VIDEO, {})
    for item in (VIDEO, OTHER):
        place = folder.result(item.key).parent
        place.mkdir(parents=True, exist_ok=True)
        (place / f".{item.key}.1-2.partial.safetensors").touch()
    Journal(folder)
    left = [path.name for path in (folder.root / "results").rglob("*") if path.is_file()]
    assert left == [f".{OTHER.key}.1-2.partial.safetensors"]
