"""Building an index: what is read again and what is not, and what comes between."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tpsparse.datasets.index import build, build_index, open_index
from tpsparse.datasets.index.schema import SCHEMAS, VERSION
from tpsparse.datasets.index.tables import load, write_file
from tpsparse.errors import InputError
from tpsparse.structures.files import atomic_write
from tpsparse.taxonomy import Taxonomy

VIDEO = "push_up_train_0"
REAL_READ_PIECE = build._read_piece


def index(root, **kwargs):
    return build_index(root, progress=False, **kwargs)


def note(root, frame=1, video=VIDEO):
    return root / "train_annotations" / "push_up" / video / f"img_{frame:05d}.json"


def change(path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def problems(root) -> list[dict[str, str]]:
    with (root / "index" / "problems.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def content(folder) -> dict[str, list]:
    """Everything that the tables hold, but for when files were read."""
    tables = load(folder)
    return {name: table.to_pylist() for name, table in tables.items()}


class TestWhole:
    def test_counts(self, tiny_copy):
        summary = index(tiny_copy)
        lengths = {name: len(table) for name, table in summary.tables.items()}
        # 8 persons in each frame of train and 4 in each of test, three parts each but for two in every fourth frame.
        assert lengths == dict(videos=9, frames=108, persons=144, parts=396, objects=0, problems=0, keys=9 * 9)
        assert (summary.read, summary.num_errors, summary.num_warnings) == (9, 0, 0)
        assert sorted(path.name for path in (tiny_copy / "index").iterdir() if path.name != ".lock") == sorted(
            [*(f"{name}.arrow" for name in SCHEMAS), "problems.csv"]
        )

    def test_two_processes_give_what_one_gives(self, tiny_copy, monkeypatch):
        index(tiny_copy, workers=1)
        alone = content(tiny_copy / "index")
        shutil.rmtree(tiny_copy / "index")
        monkeypatch.setattr(build, "FILES_FOR_POOL", 0)
        monkeypatch.setattr(build, "FILES_OF_PIECE", 20)
        index(tiny_copy, workers=2)
        assert content(tiny_copy / "index") == alone

    def test_lists_missing(self, tiny_copy):
        (tiny_copy / "list" / "part_stat.txt").unlink()
        with pytest.raises(InputError, match=r"part_stat\.txt is missing"):
            index(tiny_copy)

    def test_no_data_set(self, tmp_path):
        with pytest.raises(InputError, match="is missing"):
            index(tmp_path)

    def test_names_of_every_kind(self, tiny_copy):
        name = "Größe (1) [最终], 100 %"
        for folder in ("train_videos", "train_annotations"):
            (tiny_copy / folder / "push_up").rename(tiny_copy / folder / "hurling_(sport)")
        place = tiny_copy / "train_videos" / "hurling_(sport)"
        (place / f"{VIDEO}.mp4").rename(place / f"{name}.mp4")
        notes = tiny_copy / "train_annotations" / "hurling_(sport)"
        (notes / VIDEO).rename(notes / name)
        (tiny_copy / "list" / "video_train_flist.csv").unlink()
        shutil.rmtree(tiny_copy / "test_videos" / "push_up")
        assert index(tiny_copy).num_errors == 1  # the test list has a video that is gone
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        entry = next(entry for entry in opened.videos if entry.name == name)
        assert entry.path.is_file() and len(entry.frames) == 12

    def test_unknown_keys_are_kept_and_counted(self, tiny_copy):
        def edit(content):
            content["source"] = {"tool": "größe"}
            content["humans"][0]["occluded"] = True
            content["humans"][1]["parts"]["head"]["confidence"] = 0.5
            content["objects"] = [{"name": "none", "box": [1, 2, 3, 4], "colour": "red"}]

        change(note(tiny_copy), edit)
        summary = index(tiny_copy)
        keys = dict(summary.keys())
        assert keys["source"] == keys["humans[].occluded"] == keys["humans[].parts{}.confidence"] == 1
        assert keys["objects[].colour"] == keys["objects[].name"] == 1 and keys["humans"] == 108
        assert keys["humans[].box"] == 144 and keys["humans[].parts{}.verb"] == 396
        extras = {
            name: [json.loads(text) for text in summary.tables[name]["extra"].to_pylist() if text is not None]
            for name in ("frames", "persons", "parts", "objects")
        }
        assert extras == dict(
            frames=[{"source": {"tool": "größe"}}],
            persons=[{"occluded": True}],
            parts=[{"confidence": 0.5}],
            objects=[{"colour": "red"}],
        )
        assert "humans[].occluded" in summary.text(schema=True) and "4 rows hold keys" in summary.text(schema=True)

    @pytest.mark.parametrize(
        "objects",
        [
            [{"number": 2, "name": "none", "box": [1, 2, 3, 4]}],
            {"none": {"number": 2, "box": [1, 2, 3, 4]}},
            [{"category": "none", "bbox": [1, 2, 3, 4]}],
        ],
        ids=["list", "by name", "other keys"],
    )
    def test_objects_in_any_form(self, tiny_copy, objects):
        change(note(tiny_copy), lambda content: content.update(objects=objects))
        assert index(tiny_copy).num_errors == 0
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        [row] = opened.objects
        assert opened.object_id[row] == 0 and opened.object_box[row].tolist() == [1, 2, 3, 4]
        frame = opened.videos[4].frames[0]
        assert opened.object_frame[row] == frame and opened.objects_of(frame) == slice(row, row + 1)


class TestAgain:
    def test_nothing_changed(self, tiny_copy):
        index(tiny_copy)
        before = content(tiny_copy / "index")
        assert index(tiny_copy).read == 0
        assert content(tiny_copy / "index") == before

    def test_changed_annotation(self, tiny_copy):
        index(tiny_copy)
        change(note(tiny_copy, 3), lambda content: content["humans"].pop())
        summary = index(tiny_copy)
        assert summary.read == 1 and len(summary.tables["persons"]) == 143
        fresh = content(tiny_copy / "index")
        shutil.rmtree(tiny_copy / "index")
        assert index(tiny_copy).read == 9
        assert content(tiny_copy / "index") == fresh

    def test_removed_and_added_video(self, tiny_copy):
        index(tiny_copy)
        videos, notes = tiny_copy / "train_videos" / "lunge", tiny_copy / "train_annotations" / "lunge"
        (videos / "lunge_train_0.mp4").rename(videos / "zz.mp4")
        (notes / "lunge_train_0").rename(notes / "zz")
        summary = index(tiny_copy)
        assert summary.read == 1 and len(summary.tables["frames"]) == 108
        assert {row["kind"] for row in problems(tiny_copy)} == {"listed-missing", "not-listed"}
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        assert [entry.name for entry in opened.videos][:2] == ["lunge_train_1", "zz"]
        assert [len(entry.frames) for entry in opened.videos] == [12] * 6

    def test_problems_of_unchanged_videos_stay(self, tiny_copy):
        change(note(tiny_copy, 3), lambda content: content["humans"][0].update(box=[1, 2, 3]))
        index(tiny_copy)
        first = problems(tiny_copy)
        assert index(tiny_copy).read == 0 and problems(tiny_copy) == first and len(first) == 1
        change(note(tiny_copy, 3), lambda content: content["humans"][0].update(box=[1, 2, 30, 40]))
        assert index(tiny_copy).num_errors == 0 and problems(tiny_copy) == []

    def test_changed_list(self, tiny_copy):
        index(tiny_copy)
        (tiny_copy / "list" / "part_stat.txt").write_text("none\nbend\n")
        summary = index(tiny_copy)
        assert summary.read == 0 and summary.num_errors == 1
        assert problems(tiny_copy)[0]["kind"] == "unknown-state"

    def test_opening_sees_what_changed(self, tiny_copy):
        taxonomy = Taxonomy.from_root(tiny_copy)
        first = open_index(tiny_copy, "train", taxonomy)
        assert open_index(tiny_copy, "train", taxonomy) is first
        change(note(tiny_copy), lambda content: content["humans"].pop())
        second = open_index(tiny_copy, "train", taxonomy)
        assert len(second.persons) == len(first.persons) - 1 == 12 * 8 - 1

    def test_opening_a_large_set_looks_at_folders(self, tiny_copy, monkeypatch):
        monkeypatch.setattr("tpsparse.datasets.index.scan.SMALL_SET", 50)
        taxonomy = Taxonomy.from_root(tiny_copy)
        first = open_index(tiny_copy, "train", taxonomy)
        change(note(tiny_copy), lambda content: content["humans"].pop())  # in place: the folder's time stays
        assert open_index(tiny_copy, "train", taxonomy) is first
        assert index(tiny_copy).read == 1  # building looks at every file
        note(tiny_copy, 2).unlink()
        assert len(open_index(tiny_copy, "train", taxonomy).frames) == 6 * 12 - 1

    def test_opening_does_not_write_without_need(self, tiny_copy):
        taxonomy = Taxonomy.from_root(tiny_copy)
        open_index(tiny_copy, "train", taxonomy)
        times = {path: path.stat().st_mtime_ns for path in (tiny_copy / "index").iterdir()}
        open_index(tiny_copy, "test", taxonomy)
        assert {path: path.stat().st_mtime_ns for path in (tiny_copy / "index").iterdir()} == times


class TestInterrupted:
    def test_goes_on(self, tiny_copy, monkeypatch):
        monkeypatch.setattr(build, "FILES_OF_PIECE", 20)
        real, done = build.read_pieces, []

        def stop(piece, **kwargs):
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(len(piece))
            return real(piece, **kwargs)

        monkeypatch.setattr(build, "read_pieces", stop)
        with pytest.raises(KeyboardInterrupt):
            index(tiny_copy, workers=1)
        assert load(tiny_copy / "index") is None
        monkeypatch.setattr(build, "read_pieces", real)
        assert index(tiny_copy, workers=1).read == 9 - sum(done) < 9
        assert not (tiny_copy / "index" / "pieces").exists()
        resumed = content(tiny_copy / "index")
        shutil.rmtree(tiny_copy / "index")
        index(tiny_copy)
        assert content(tiny_copy / "index") == resumed

    def test_half_a_piece_is_read_again(self, tiny_copy, monkeypatch):
        monkeypatch.setattr(build, "join", lambda runs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index(tiny_copy)
        monkeypatch.undo()
        [piece] = (tiny_copy / "index" / "pieces").iterdir()
        (piece / "parts.arrow").write_bytes((piece / "parts.arrow").read_bytes()[:100])
        assert index(tiny_copy).read == 9

    def test_killed_between_two_files_of_one_generation(self, tiny_copy):
        index(tiny_copy)
        older = (tiny_copy / "index" / "parts.arrow").read_bytes()
        change(note(tiny_copy), lambda content: content["humans"].pop())
        index(tiny_copy)
        (tiny_copy / "index" / "parts.arrow").write_bytes(older)
        assert load(tiny_copy / "index") is None
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        assert len(opened.persons) == 12 * 8 - 1 and len(opened.parts) == 8 * 33 - 3

    def test_disk_full(self, tiny_copy, environment):
        # No file may grow beyond 4 kB: what a full disk does, at any place in the build.
        code = (
            "import resource, signal, sys\n"
            "from tpsparse.cli import run\n"
            "from tpsparse.datasets.index import build_index\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            "sys.exit(run(lambda _: bool(build_index(sys.argv[1], progress=False)) * 0))\n"
        )
        command = [sys.executable, "-c", code, str(tiny_copy)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
        assert "File too large" in done.stderr and ".arrow" in done.stderr
        assert load(tiny_copy / "index") is None
        assert list(tiny_copy.rglob("*.partial*")) == []
        assert index(tiny_copy).num_errors == 0

    def test_a_file_that_crashes_its_reader(self, tiny_copy, monkeypatch):
        monkeypatch.setattr(build, "FILES_FOR_POOL", 0)
        monkeypatch.setattr(build, "_read_piece", _crash_on_one)
        summary = index(tiny_copy, workers=2)
        [problem] = problems(tiny_copy)
        assert problem["kind"] == "unreadable-video" and problem["video"] == f"{VIDEO}.mp4"
        assert "ends the process that reads it" in problem["message"]
        assert len(summary.tables["videos"]) == 9


def _crash_on_one(piece):
    known = any(examined is not None for _, examined in piece.tasks)  # then the parent has given it up
    if not known and any(files.name == VIDEO for files, _ in piece.tasks):
        os.kill(os.getpid(), signal.SIGKILL)
    return REAL_READ_PIECE(piece)


class TestVersions:
    def spoil(self, root, version):
        for name, table in load(root / "index").items():
            marks = {**table.schema.metadata, b"version": str(version).encode()}
            with atomic_write(root / "index" / f"{name}.arrow") as partial:  # the old file is mapped
                write_file(partial, table.replace_schema_metadata(marks))

    def test_earlier(self, tiny_copy, capsys):
        index(tiny_copy)
        self.spoil(tiny_copy, VERSION - 1)
        assert index(tiny_copy).read == 9
        assert "was written by an earlier tpsparse: reading everything again" in capsys.readouterr().out

    def test_later(self, tiny_copy):
        index(tiny_copy)
        self.spoil(tiny_copy, VERSION + 1)
        for work in (lambda: index(tiny_copy), lambda: open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))):
            with pytest.raises(InputError, match=f"later tpsparse .*{VERSION + 1}.*update tpsparse, or remove"):
                work()


class TestTogether:
    def test_two_at_once(self, tiny_copy):
        context = multiprocessing.get_context("spawn")
        runs = [context.Process(target=build_index, args=(tiny_copy,), kwargs=dict(progress=False)) for _ in range(3)]
        for run in runs:
            run.start()
        for run in runs:
            run.join(60)
        assert [run.exitcode for run in runs] == [0, 0, 0]
        assert index(tiny_copy).read == 0 and len(load(tiny_copy / "index")["parts"]) == 396

    def test_the_second_waits_and_says_so(self, tiny_copy, environment):
        with build.locked(tiny_copy / "index"):
            command = [sys.executable, "tools/prepare_data.py", "index", str(tiny_copy)]
            second = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
            assert "another process is writing" in second.stdout.readline()
            time.sleep(0.2)
            assert second.poll() is None
        assert "9 videos were read" in second.communicate(timeout=60)[0]


class TestPlace:
    def test_data_set_that_cannot_be_written(self, tiny_copy, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(build.os, "access", lambda path, mode: not str(path).startswith(str(tiny_copy)))
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        assert len(opened.videos) == 6 and not (tiny_copy / "index").exists()
        [folder] = (tmp_path / "cache" / "tpsparse").iterdir()
        assert folder.name.startswith("data-") and load(folder) is not None

    def test_old_index_that_cannot_be_written(self, tiny_copy, monkeypatch):
        index(tiny_copy)
        note(tiny_copy).unlink()
        monkeypatch.setattr(build.os, "access", lambda path, mode: False)
        with pytest.raises(InputError, match="is older than the data set's files and cannot be written to: have its"):
            open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))


class TestProblems:
    def test_each_kind_of_warning(self, tiny_copy):
        def edit(content):
            first, second = content["humans"]
            first["box"] = [14, 9, 97.5, 49]
            first["parts"]["head"]["box"] = [14, 60, 20, 63]
            second.update(number=1, box=[14, 9, 97.5, 49.5], parts={})

        change(note(tiny_copy, 1), edit)
        change(
            note(tiny_copy, 2),
            lambda content: content.update(humans=[], objects=[{"name": "dog", "box": [1, 1, 2, 2]}]),
        )
        change(note(tiny_copy, 3), lambda content: content["humans"][0]["parts"]["head"].update(name="hat"))
        shutil.copy(note(tiny_copy, 12), note(tiny_copy, 13))
        listed = tiny_copy / "list" / "video_train_flist.csv"
        listed.write_text(listed.read_text().replace("push_up/push_up_train_1", "lunge/push_up_train_0"))
        summary = index(tiny_copy)
        assert summary.num_errors == 0
        found = {(row["kind"], row["frame"]) for row in problems(tiny_copy)}
        assert found == {
            ("beyond-frame", "1"),
            ("far-part", "1"),
            ("duplicate-person", "1"),
            ("same-number", "1"),
            ("no-part", "1"),
            ("no-person", "2"),
            ("unknown-object", "2"),
            ("other-name", "3"),
            ("frames-beyond-end", "13"),
            ("listed-twice", ""),
            ("not-listed", ""),
        }
        assert {row["severity"] for row in problems(tiny_copy)} == {"warning"}
        far = next(row for row in problems(tiny_copy) if row["kind"] == "far-part")
        assert far["file"] == f"train_annotations/push_up/{VIDEO}/img_00001.json"
        assert json.loads(far["value"]) == [14, 60, 20, 63] and far["video"] == f"{VIDEO}.mp4"

    def test_decoding_finds_what_the_header_hides(self, tiny_copy, monkeypatch):
        monkeypatch.setattr("tpsparse.datasets.index.files.count_decoded", lambda path: 10)
        assert index(tiny_copy).num_errors == 0
        summary = index(tiny_copy, check_videos=True)
        assert summary.read == 9 and summary.problems["short-video"] == 9
        row = problems(tiny_copy)[0]
        assert "has 12 frames of which 10 can be decoded" in row["message"]
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        assert {entry.num_frames for entry in opened.videos} == {10} and len(opened.frames) == 60
        assert {entry.facts.num_frames for entry in opened.videos} == {10}
        assert index(tiny_copy, check_videos=True).read == 0  # counted once, it is remembered
        assert index(tiny_copy).read == 0

    def test_decoding_agrees(self, tiny_copy):
        summary = index(tiny_copy, check_videos=True)
        assert summary.num_errors == summary.num_warnings == 0
        assert summary.tables["videos"]["decoded_frames"].to_pylist() == [12] * 9

    def test_many_are_counted_in_a_run(self, tiny_copy):
        for frame in range(1, 13):
            for video in (VIDEO, "push_up_train_1"):
                broken = dict(number=1, box=[1], parts={})
                change(note(tiny_copy, frame, video), lambda content: content["humans"].extend([broken] * 3))  # noqa: B023
        opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
        told = list(opened.problems)
        assert len(told) == 51 and told[-1].path == tiny_copy / "index" / "problems.csv"
        assert told[-1].message == f"lists {12 * 2 * 3 - 50} more: see there"
        assert len(problems(tiny_copy)) == 72
        assert len(open_index(tiny_copy, "test", Taxonomy.from_root(tiny_copy)).problems) == 0


class TestWhatCannotBeHeld:
    """Each costs itself, and the build goes on."""

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ('{"humans": [{"box": [1, 2, 3, 4], "kind\\ud800": 1}]}', "unreadable-frame"),
            ('{"note": ' + "[" * 900 + "]" * 900 + "}", "no-person"),
        ],
        ids=["half a character", "deep"],
    )
    def test_text_of_an_annotation(self, tiny_copy, text, kind):
        note(tiny_copy).write_text(text)
        summary = index(tiny_copy)
        assert len(summary.tables["videos"]) == 9 and len(summary.tables["persons"]) == 144 - 2
        [row] = problems(tiny_copy)
        assert (row["kind"], row["file"]) == (kind, f"train_annotations/push_up/{VIDEO}/img_00001.json")

    def test_states_beyond_counting(self, tiny_copy):
        for frame in range(1, 13):
            part = {f"p{number}": {"box": [1, 2, 3, 4], "verb": f"s{frame}_{number}"} for number in range(3000)}
            note(tiny_copy, frame).write_text(json.dumps({"humans": [{"box": [1, 2, 30, 40], "parts": part}]}))
        assert index(tiny_copy).problems["unknown-state"] == 36_000

    def test_names_of_files(self, tiny_copy):
        folder = os.fsencode(tiny_copy / "train_videos" / "push_up")
        os.rename(os.path.join(folder, VIDEO.encode() + b".mp4"), os.path.join(folder, b"\xff.mp4"))
        (note(tiny_copy).parent / "img_99999999999999999999.json").write_text("{}")
        summary = index(tiny_copy)
        assert len(summary.tables["videos"]) == 8 and summary.problems["unusable-name"] == 1

    def test_links_to_nowhere(self, tiny_copy):
        for path in (tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4", note(tiny_copy, 2, "push_up_train_1")):
            path.unlink()
            path.symlink_to("nowhere")
        summary = index(tiny_copy)
        assert summary.problems["unreadable-video"] == summary.problems["unreadable-frame"] == 1
        assert index(tiny_copy).read == 1  # the video, which may be back

    def test_what_is_hidden_is_passed_over(self, tiny_copy):
        shutil.copytree(tiny_copy / "train_videos" / "push_up", tiny_copy / "train_videos" / ".Trash")
        assert index(tiny_copy).num_errors == 0


def test_unreadable_twin_does_not_cost_the_other(tiny_copy):
    (tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.avi").write_bytes(b"")  # sorted before the mp4
    summary = index(tiny_copy)
    assert summary.problems == {"unreadable-video": 1}
    names = [entry.path.name for entry in open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy)).videos]
    assert names.count(f"{VIDEO}.mp4") == 1 and len(names) == 6


def test_values_that_no_column_holds_are_kept(tiny_copy):
    def edit(content):
        content["humans"][0]["number"] = "7"
        content["objects"] = [{"name": "none", "label": "ball", "box": [1, 2, 3, 4], "bbox": [5, 6, 7, 8]}]

    change(note(tiny_copy), edit)
    tables = index(tiny_copy).tables
    extras = [tables[name]["extra"].drop_null().to_pylist() for name in ("persons", "objects")]
    assert [json.loads(text) for [text] in extras] == [{"number": "7"}, {"label": "ball", "bbox": [5, 6, 7, 8]}]


def test_two_files_of_one_number(tiny_copy):
    (note(tiny_copy).parent / "img_3.json").write_text('{"humans": []}')
    summary = index(tiny_copy)
    [row] = problems(tiny_copy)
    assert (
        row["kind"] == "same-frame"
        and row["file"].endswith("img_3.json")
        and "img_00003.json is used" in row["message"]
    )
    assert len(summary.tables["persons"]) == 144


def test_listed_under_another_action(tiny_copy):
    listed = tiny_copy / "list" / "video_train_flist.csv"
    listed.write_text(listed.read_text().replace(f"push_up/{VIDEO}", f"lunge/{VIDEO}"))
    summary = index(tiny_copy)
    [row] = problems(tiny_copy)
    assert summary.num_errors == 0 and row["kind"] == "listed-elsewhere" and "is listed under lunge" in row["message"]


def test_full_disk_leaves_the_index_that_was(tiny_copy, monkeypatch):
    index(tiny_copy, check_videos=True)
    before = content(tiny_copy / "index")
    note(tiny_copy).unlink()

    def fail(path, table):
        if "keys" in path.name:  # the last of the tables
            raise OSError(28, "No space left on device")
        write_file(path, table)

    monkeypatch.setattr("tpsparse.datasets.index.tables.write_file", fail)
    with pytest.raises(InputError, match=r"keys\.arrow cannot be written .*No space left.*make room there"):
        index(tiny_copy)
    monkeypatch.undo()
    assert content(tiny_copy / "index") == before and list(tiny_copy.rglob("*.partial*")) == []


def test_a_stray_number_of_any_size(tiny_copy):
    (tiny_copy / "list" / "video_train_flist.csv").unlink()
    (tiny_copy / "train_videos" / "push_up" / f"{VIDEO}.mp4").write_bytes(b"")  # so that nothing bounds the numbers
    shutil.copy(note(tiny_copy), tiny_copy / "train_annotations" / "push_up" / VIDEO / "img_999999999.json")
    assert index(tiny_copy).problems["missing-frame"] == 1
    [row] = [row for row in problems(tiny_copy) if row["kind"] == "missing-frame"]
    assert row["frame"] == "13" and row["value"] == str(10**9 - 1 - 13)


def test_random_json_never_stops_a_build(tiny_copy):
    """Values of every kind in every place: whatever a file holds, the others are read."""
    generator = np.random.default_rng(0)
    values = [None, True, -1, 1e400, 10**30, "", "x", [], [1, 2, 3, 4], {}, {"a": {}}, [[]], [None], [{}]]

    def spoil(item):
        if isinstance(item, dict) and item and generator.random() < 0.85:
            key = list(item)[generator.integers(len(item))]
            return {**item, key: spoil(item[key])}
        if isinstance(item, list) and item and generator.random() < 0.85:
            place = int(generator.integers(len(item)))
            return [*item[:place], spoil(item[place]), *item[place + 1 :]]
        return values[generator.integers(len(values))]

    for path in sorted((tiny_copy / "train_annotations" / "push_up").glob("*/*.json")):
        path.write_text(json.dumps(spoil(json.loads(path.read_text()))))
    summary = index(tiny_copy)
    assert len(summary.tables["videos"]) == 9 and summary.num_errors > 10
    opened = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
    for position in range(6):
        opened.ground_truth(position)
    assert (opened.boxes[opened.persons][:, 2:] > opened.boxes[opened.persons][:, :2]).all()
