from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def person_crops(benchmark):
    return benchmark("person_crops")


@pytest.fixture(scope="module")
def root(person_crops, small_data):
    return person_crops.prepare(small_data, quick=True)


def test_quick_run(person_crops, small_data, tmp_path):
    file = tmp_path / "out.json"
    assert run(person_crops.main, ["--quick", "--data", str(small_data), "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    rounds = {name: one for name, [one] in written["rounds"].items()}
    assert set(rounds) == set(person_crops.PEERS)
    assert len({one["samples"] for one in rounds.values()}) == 1  # fewer than the most that one peer reads
    stock = rounds[person_crops.STOCK]
    assert stock["samples"] == stock["size"] > 20
    assert {"sample", "LoadImage", "TopdownAffine", "GenerateTarget", "PackPoseInputs"} <= set(stock["steps"])
    ours = rounds["tpsparse, frames, pools"]["steps"]
    assert list(ours) == ["sample", "JitterBox", "CropPerson", "FlipPerson", "JitterColor", "PackPart"]
    ratios = {row["samples"]: row["ratio to mmpose"] for row in written["tables"]["Person crops"]}
    assert ratios[person_crops.STOCK] == 1 and all(ratio > 0 for ratio in ratios.values())


def test_both_see_the_same_persons(person_crops, root):
    stock = person_crops.build(person_crops.PEERS[person_crops.STOCK], root)
    ours = person_crops.build(person_crops.Peer("tpsparse", "frames"), root)
    assert len(stock) == len(ours)
    for sample in (0, len(ours) // 2, len(ours) - 1):
        theirs, own = stock.get_data_info(sample), ours.sample(sample)
        np.testing.assert_allclose(theirs["bbox"][0], own["box"], atol=1e-3)
        assert theirs["img_path"].endswith(f"{own['video']}/img_{own['frame_index']:05d}.jpg")


def test_frames_and_videos_show_the_same(person_crops, root):
    images, videos = (
        person_crops.build(person_crops.Peer("tpsparse", source), root) for source in ("frames", "videos")
    )
    one, other = images.sample(3), videos.sample(3)
    assert one["img"].shape == other["img"].shape == (256, 340, 3)
    assert np.abs(one["img"].astype(int) - other["img"]).mean() < 8  # JPEG
    np.testing.assert_array_equal(one["part_boxes"], other["part_boxes"])


def test_keypoints_are_centres_of_parts(person_crops):
    ids = {name: i for i, name in enumerate(dict.fromkeys(person_crops.KEYPOINT_PARTS))}
    boxes = np.full((10, 4), np.nan)
    boxes[ids["head"]] = [10, 20, 30, 60]
    boxes[ids["right_foot"]] = [0, 0, 1, 3]
    points = person_crops.keypoints(boxes, ids)
    assert points.shape == (17, 3)
    np.testing.assert_array_equal(points[:5], [[20, 40, 2]] * 5)  # nose, eyes and ears
    np.testing.assert_array_equal(points[16], [0.5, 1.5, 2])  # right ankle, the last of COCO's
    np.testing.assert_array_equal(points[5:16], 0)


def test_keypoint_sides_are_cocos(person_crops):
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    names = parse_pose_metainfo(dict(from_file="configs/_base_/datasets/coco.py"))["keypoint_id2name"]
    for number, part in enumerate(person_crops.KEYPOINT_PARTS):
        side = part.split("_")[0] if "_" in part else None
        assert side is None or names[number].startswith(side)
    assert len(person_crops.KEYPOINT_PARTS) == 17


def test_what_the_sampler_is_told(person_crops):
    arguments = {name: person_crops.sampler_arguments(peer, 8) for name, peer in person_crops.PEERS.items()}
    assert arguments["tpsparse, frames, random order"] == dict(seed=0, pool=None)
    assert arguments["tpsparse, frames, pools"] == dict(seed=0, pool=8)
    turns = arguments["tpsparse, videos, pools, 2 loader workers in turns"]
    assert turns == dict(seed=0, pool=8, workers=2, batch_size=32)


def test_a_peer_apart_reads_its_share(person_crops, root):
    alone = person_crops.measure_apart("tpsparse, frames, pools", root, pool=2, steps=3)
    assert alone["samples"] == alone["size"] and alone["peak_bytes"] > 50e6 and alone["cpu_seconds"] > 0


def test_rates_by_hand(person_crops):
    def one(samples, seconds, processor):
        return dict(samples=samples, seconds=seconds, cpu_seconds=processor, peak_bytes=3_000_000, steps={"a": seconds})

    results = {person_crops.STOCK: [one(100, 2, 1), one(100, 4, 2)], "ours": [one(50, 1, 0.1), one(50, 1, 0.2)]}
    stock, ours = person_crops.rows_of(results)
    assert (stock["a second and core"], stock["by the clock"], stock["ratio to mmpose"]) == (75, 37.5, 1)
    assert (ours["a second and core"], ours["ratio to mmpose"], ours["peak MB"]) == (375, 5, 3)
    loaded = {name + person_crops.LOADED: rounds for name, rounds in results.items()}
    loaded[person_crops.STOCK] = results["ours"]
    assert [row["ratio to mmpose"] for row in person_crops.rows_of(loaded)] == [1, 5, 1]
    assert [row["ms"] for row in person_crops.step_rows(results)] == [3, 1]
