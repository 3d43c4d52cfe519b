from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def index_open(benchmark):
    return benchmark("index_open")


@pytest.fixture(scope="module")
def root(index_open, small_data):
    return index_open.prepare(small_data, quick=True, share=3)


def test_quick_run(index_open, small_data, tmp_path):
    file = tmp_path / "out.json"
    assert run(index_open.main, ["--quick", "--data", str(small_data), "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    rounds = {name: one for name, [one] in written["rounds"].items()}
    assert set(rounds) == {"tpsparse index", "no annotations at all", "pycocotools", "mmdet CocoDataset"}
    for one in rounds.values():
        assert len(one["workers"]) == 4 and all(worker["end"] > 1e6 for worker in one["workers"])
        assert 0 < one["read_s"] <= one["read_p99_s"] and one["open_s"] > 0
    assert rounds["mmdet CocoDataset"]["samples"] == 80  # 4 of 12 videos with 20 frames each
    names = [row["loading"] for row in written["tables"]["Loading annotations"]]
    assert "pycocotools, everything (calculated)" in names and len(names) == 6


def test_coco_has_every_box_of_the_index(index_open, root):
    index = index_open.IndexSamples(root, 3).index
    content = json.loads((root / "boxes_3.json").read_text())
    frames = [frame for video in range(0, 12, 3) for frame in index.videos[video].frames]
    assert len(content["images"]) == len(frames) == 80
    kinds = [one["category_id"] for one in content["annotations"]]
    persons = [person for frame in frames for person in range(*index.persons_of(frame).indices(10**9))]
    parts = sum(np.isfinite(index.person_parts(person)[0]).all(axis=1).sum() for person in persons)
    objects = sum(index.objects_of(frame).stop - index.objects_of(frame).start for frame in frames)
    assert kinds.count(1) == len(persons) > 80
    assert sum(1 < kind <= 11 for kind in kinds) == parts and sum(kind > 11 for kind in kinds) == objects
    assert [one["id"] for one in content["annotations"]] == list(range(1, len(kinds) + 1))
    one_frame = json.loads((root / "boxes_0.json").read_text())
    assert len(one_frame["images"]) == 1 and {one["image_id"] for one in one_frame["annotations"]} <= {1}
    assert index_open._head_of(root / "boxes_3.json") == content["categories"]


def test_peers_tell_the_same_of_a_person(index_open, root):
    ours, coco = index_open.IndexSamples(root, 3), index_open.PycocoSamples(root, 3)
    assert len(coco) > 80
    _, number, box, parts, states = ours[0]
    name, place, part_places, labels = coco[0]
    assert name.endswith(f"img_{number:05d}.jpg")
    np.testing.assert_allclose([*place[:2], place[0] + place[2], place[1] + place[3]], box)
    present = np.flatnonzero(states >= 0)
    assert sorted(labels) == [(part + 2, states[part]) for part in present]
    order = np.argsort([category for category, _ in labels])
    np.testing.assert_allclose(part_places[order][:, :2], parts[present][:, :2])
    frame = index_open.MmdetSamples(root, 3)[0]
    assert sum(one["bbox_label"] == 0 for one in frame["instances"]) == np.sum(ours.index.person_frame == 0)


def test_memory_that_a_worker_keeps_shows(index_open, tmp_path):
    class Keeps:
        """Every read sample stays, 100 kB each."""

        kept: list = []

        def __getitem__(self, sample):
            self.kept.append(np.ones(100_000, dtype=np.uint8))

    keeping = index_open.worker_memory(Keeps(), list(range(800)))
    assert len(keeping) == 4
    # 800 samples are 13 batches of up to 64: three or four a worker
    assert all(worker["end"] - worker["start"] > 3 * 64 * 0.09e6 for worker in keeping)


def test_apart(index_open, root):
    alone = index_open.measure_apart("tpsparse index", root, share=3, epoch=100)
    assert alone["samples"] > 240 and alone["open_s"] > 0
    assert len(alone["workers"]) == 2  # 100 samples are two batches


def test_rows_and_limits_by_hand(index_open):
    def one(opened, growth):
        workers = [{"start": 5_000_000, "end": 5_000_000 + grown * 1_000_000} for grown in growth]
        times = dict(fixed_s=0.1, open_s=2 * opened, open_cpu_s=opened, read_s=2e-5, read_p99_s=4e-5)
        return dict(times, open_bytes=2_000_000, samples=9, workers=workers)

    rounds = [one(0.2, [1, 2, 3]), one(0.4, [2, 9, 2]), one(0.3, [2, 5, 2])]
    nothing = [one(0.1, [1, 4])]
    results = {
        "tpsparse index": rounds,
        index_open.NOTHING: nothing,
        "pycocotools": rounds,
        "mmdet CocoDataset": rounds,
    }
    ours, none, coco, whole, mmdet, all_mmdet = index_open.rows_of(results, 20)
    assert (ours["open s"], ours["open processor s"], ours["worker grows MB"]) == (0.6, 0.3, 5)
    assert ours["worker at the end MB"] == 14 and none["worker grows MB"] == 4
    assert {**coco, "loading": ""} == {**mmdet, "loading": ""}
    # 0.1 + (0.3 - 0.1) x 20; 4 + (5 - 4) x 20
    assert whole["open processor s"] == pytest.approx(4.1) and whole["open s"] == "-"
    assert (whole["open MB"], whole["worker grows MB"], all_mmdet["worker grows MB"]) == (40, 24, 5)
    assert whole["sample us"] == coco["sample us"] == pytest.approx(20)
    assert [row["measured"] for row in index_open.limits_of(rounds)] == pytest.approx([0.6, 9, 14, 20])
