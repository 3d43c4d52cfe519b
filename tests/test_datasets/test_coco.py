from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from tpsparse.datasets.coco import export_coco, import_coco
from tpsparse.datasets.coco.exporting import coco_box
from tpsparse.datasets.coco.items import is_box, plain_number
from tpsparse.errors import InputError

ACTION, VIDEO = "hurling_(sport)", "größe 2 (b)"
FRAMES: dict[int, Any] = {
    1: {
        "humans": [
            {
                "number": 1,
                "box": [10, 5, 30, 45],
                "score": 0.25,
                "parts": {
                    "head": {"number": 1, "box": [16, 5, 24, 15], "verb": "none", "name": "head", "seen": [1, None]},
                    "left_arm": {"number": 1, "box": [24, 15.0, 30.125, 30], "verb": "bend", "name": "left_arm"},
                },
                "name": "person",
            },
            {"box": [50.1, 5.3, 70.7, 45.9], "parts": {}, "number": 2},
            {"number": 7, "box": [-0.1, 0.7, 9.3, 20], "track": {"id": "ü"}, "parts": {}},
        ],
        "objects": [
            {"number": 1, "name": "ball", "box": [1, 1, 9, 9], "colour": None},
            {"label": "none", "bbox": [60, 50, 70, 60]},
            {"box": [3, 3, 4.5, 4.5]},
        ],
        "camera": {"moving": False, "note": "ключ"},
    },
    2: {"humans": [], "objects": []},
    3: {},
    4: {  # numbers do not tell persons apart
        "humans": [
            {"number": 1, "box": [10, 5, 30, 45], "parts": {"head": {"box": [16, 5, 24, 15], "verb": "lift"}}},
            {"number": 1, "box": [10, 6, 30, 46], "parts": {"head": {"box": [16, 6, 24, 16], "verb": "bend"}}},
            {"number": "b", "box": [11, 6, 31, 46]},
        ]
    },
    5: {  # what has no usable box stays where it is
        "humans": [
            {"number": 1, "parts": {"head": {"number": 1, "box": [16, 5, 24, 15], "verb": "none", "name": "head"}}},
            None,
            {
                "number": 3,
                "box": [40, 5, 60, 45],
                "parts": {
                    "right_arm": {"box": None, "verb": "bend"},
                    "head": {"box": [46, 5, 54, 15], "verb": "none"},
                    "left_arm": {"box": [46, 5, 46, 15], "verb": "bend"},
                },
            },
            {"number": 4, "box": [70, 5, 90, 45], "parts": None},
            {"number": 5, "box": [70, 6, 90, 46], "parts": [3]},
        ],
        "objects": [7, {"name": "ball", "box": [5, 5, 4, 9]}, {"name": "ball", "box": [5, 5, 9, 9]}],
    },
    6: {"humans": None, "objects": {"ball": {"box": [1, 2, 3, 4]}, "stick": {"box": [1, 2, 3, 5]}}},
    7: {  # names and states that are in no list
        "humans": [
            {"number": 1, "box": [10, 5, 30, 45], "parts": {"tail": {"box": [11, 6, 12, 7], "verb": "wag"}}},
            {"number": 2, "box": [40, 5, 60, 45], "parts": {"head": {"box": [46, 5, 54, 15]}}},
            {"number": 3, "box": [70, 5, 90, 45], "parts": {"head": {"box": [76, 5, 84, 15], "verb": ["bend"]}}},
        ]
    },
    8: {"humans": [{"number": 1, "box": [0.1, 0.2, 0.30000000000000004, 33.333333333], "parts": {}}], "objects": []},
}
LEFT_OVER = 6
"""Persons, parts and objects of FRAMES without a usable box."""


@pytest.fixture
def root(tiny_copy: Path) -> Path:
    """The drawn data set with a video of awkward names and annotations."""
    (tiny_copy / "list" / "object.txt").write_text("none\nball\n")
    for kind, before, after in (
        ("videos", "lunge_train_0.mp4", f"{VIDEO}.mp4"),
        ("annotations", "lunge_train_0", VIDEO),
    ):
        folder = (tiny_copy / f"train_{kind}" / "lunge").rename(tiny_copy / f"train_{kind}" / ACTION)
        (folder / before).rename(folder / after)
    for number, content in FRAMES.items():
        frame_file(tiny_copy, number).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return tiny_copy


def frame_file(root: Path, number: int) -> Path:
    return root / "train_annotations" / ACTION / VIDEO / f"img_{number:05d}.json"


def read_frame(root: Path, number: int) -> Any:
    return json.loads(frame_file(root, number).read_text(encoding="utf-8"))


def contents(root: Path) -> dict[str, str]:
    """Every annotation, with the types of its numbers."""
    files = sorted((root / "train_annotations").rglob("*.json"))
    return {str(path.relative_to(root)): json.dumps(json.loads(path.read_bytes())) for path in files}


def stamps(root: Path) -> dict[str, int]:
    return {
        str(path.relative_to(root)): path.stat().st_mtime_ns for path in (root / "train_annotations").rglob("*.json")
    }


def export(root: Path, **options: Any) -> tuple[Path, dict[str, Any]]:
    out = root / "coco" / "all of it.json"
    export_coco(root, out, progress=False, **options)
    return out, json.loads(out.read_text())


def image_of(document: dict[str, Any], number: int) -> dict[str, Any]:
    [image] = [i for i in document["images"] if i["file_name"] == f"{ACTION}/{VIDEO}/img_{number:05d}.jpg"]
    return image


def annotations_of(document: dict[str, Any], number: int, category: str | None = None) -> list[dict[str, Any]]:
    names = {entry["id"]: entry["name"] for entry in document["categories"]}
    image = image_of(document, number)["id"]
    found = [entry for entry in document["annotations"] if entry["image_id"] == image]
    return [entry for entry in found if category in (None, names[entry["category_id"]])]


def category_id(document: dict[str, Any], name: str) -> int:
    known = {entry["name"]: entry["id"] for entry in document["categories"]}
    if name not in known:
        known[name] = max(known.values()) + 1
        document["categories"].append({"id": known[name], "name": name})
    return known[name]


def add(document: dict[str, Any], number: int, category: str, bbox: list[float], **attributes: Any) -> dict[str, Any]:
    entry = {
        "id": 10_000 + len(document["annotations"]),
        "image_id": image_of(document, number)["id"],
        "category_id": category_id(document, category),
        "bbox": bbox,
        "attributes": attributes,
    }
    document["annotations"].append(entry)
    return entry


def like_cvat(document: dict[str, Any], *, declared: tuple[str, ...] | None = None) -> dict[str, Any]:
    """What CVAT makes of a file: points to 0.01, new ids, another order, attributes as text, other fields gone."""
    draw = random.Random(0)
    images, annotations, categories = (list(document[key]) for key in ("images", "annotations", "categories"))
    for entries in (images, annotations, categories):
        draw.shuffle(entries)
    image_ids = {image["id"]: i for i, image in enumerate(images, 1)}
    category_ids = {category["id"]: i for i, category in enumerate(categories, 1)}
    written = []
    for i, entry in enumerate(annotations, 1):
        x, y, width, height = entry["bbox"]
        x0, y0, x1, y1 = (round(float(edge), 2) for edge in (x, y, x + width, y + height))
        kept = {key: value for key, value in entry["attributes"].items() if declared is None or key in declared}
        as_text = {
            key: str(float(value)) if isinstance(value, int) and i % 2 else str(value)[:4096]
            for key, value in kept.items()
        }
        written.append(
            {
                "id": i,
                "image_id": image_ids[entry["image_id"]],
                "category_id": category_ids[entry["category_id"]],
                "segmentation": [],
                "area": round((x1 - x0) * (y1 - y0), 4),
                "bbox": [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)],
                "iscrowd": 0,
                "attributes": {**as_text, "occluded": False},
            }
        )
    fields = ("width", "height", "file_name")
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "description": ""},
        "categories": [{"id": category_ids[c["id"]], "name": c["name"], "supercategory": ""} for c in categories],
        "images": [{"id": image_ids[i["id"]], **{key: i[key] for key in fields}, "license": 0} for i in images],
        "annotations": written,
    }


def like_fiftyone(document: dict[str, Any]) -> dict[str, Any]:
    """What FiftyOne makes of a file: boxes by way of shares of the image, attributes beside the box, ids from 0."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
    written = []
    for entry in document["annotations"]:
        width, height = sizes[entry["image_id"]]
        bbox = [value / side * side for value, side in zip(entry["bbox"], (width, height, width, height))]
        entry = {**entry, "bbox": bbox, "category_id": entry["category_id"] - 1, **entry["attributes"]}
        written.append({key: value for key, value in entry.items() if key not in ("attributes", "segmentation")})
    return {
        "categories": [{"id": c["id"] - 1, "name": c["name"]} for c in document["categories"]],
        "images": document["images"],
        "annotations": written,
    }


def bring_back(root: Path, document: dict[str, Any]) -> list[str]:
    file = root / "coco" / "back.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(document))
    problems = import_coco(file, root, progress=False)
    assert not [path for path in root.rglob("*") if ".partial" in path.name]
    return [str(problem) for problem in problems]


def test_counts_by_pycocotools(root):
    out, document = export(root)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(out))
    assert len(coco.imgs) == 6 * 12 == len(document["images"])
    names = {entry["id"]: entry["name"] for entry in coco.cats.values()}
    by_name = Counter(names[entry["category_id"]] for entry in coco.anns.values())
    videos = [path for path in sorted((root / "train_annotations").rglob("img_*.json")) if VIDEO not in str(path)]
    expected = Counter({"person": 13, "head": 7, "left_arm": 1, "tail": 1, "object:ball": 3, "object:none": 1})
    expected.update({"object": 1, "object:stick": 1})
    for path in [*videos, *(frame_file(root, number) for number in range(9, 13))]:
        for human in json.loads(path.read_text())["humans"]:
            expected.update(["person", *human["parts"]])
    assert by_name == expected
    assert len(coco.getAnnIds(imgIds=[image_of(document, 2)["id"]])) == 0


def test_form(root):
    _, document = export(root)
    assert list(document) == ["info", "licenses", "images", "annotations", "categories"]
    image = image_of(document, 1)
    assert (image["width"], image["height"]) == (96, 64)
    names = [entry["name"] for entry in document["categories"]]
    assert names == [
        *("person", "head", "left_arm", "right_arm", "object:none", "object:ball"),
        *("object", "object:stick", "tail"),  # of the data alone
    ]
    assert [entry["supercategory"] for entry in document["categories"]] == [
        *("person", "part", "part", "part", "object", "object", "object", "object", "part")
    ]
    assert [entry["id"] for entry in document["annotations"]] == list(range(1, len(document["annotations"]) + 1))
    [head], [ball] = annotations_of(document, 1, "head"), annotations_of(document, 1, "object:ball")
    original = json.loads(head["attributes"].pop("original"))
    assert head.pop("attributes") == {"person": 1, "state": "none", "number": 1}
    assert head.pop("id") and head.pop("category_id") == 2 and head.pop("image_id") == image["id"]
    assert head == {"bbox": [16, 5, 8, 10], "area": 80, "iscrowd": 0, "segmentation": []}
    assert original["item"] == FRAMES[1]["humans"][0]["parts"]["head"]
    assert set(ball["attributes"]) == {"number", "original"}


@pytest.mark.parametrize("name", ["original", "person", "state", "number"])
def test_attributes_are_scalars_that_no_tool_takes_for_its_own(root, name):
    _, document = export(root)
    values = [entry["attributes"][name] for entry in document["annotations"] if name in entry["attributes"]]
    assert values and all(isinstance(value, (int, float, str)) for value in values)
    taken = {"id", "label", "bbox", "is_crowd", "iscrowd", "score", "occluded", "track_id", "keyframe", "source"}
    assert name not in taken


def test_export_tells_what_it_leaves_out(root):
    problems = export_coco(root, root / "a.json", progress=False)
    assert len(problems) == LEFT_OVER and {problem.path for problem in problems} == {frame_file(root, 5)}
    told = [problem.message for problem in problems]
    assert told[0].startswith("person 1 has no box of four rising numbers: correct it")
    assert sum("right_arm of person 3" in line for line in told) == 1
    assert Counter(problem.skipped for problem in problems) == {"person": 2, "part": 2, "object": 2}


@pytest.mark.parametrize("rewrite", [lambda d: d, like_cvat, like_fiftyone], ids=["as it is", "CVAT", "FiftyOne"])
def test_nothing_changed(root, rewrite):
    _, document = export(root)
    before, times = contents(root), stamps(root)
    assert bring_back(root, rewrite(document)) == []
    assert contents(root) == before and stamps(root) == times


def without_leftovers(content: Any) -> Any:
    """A frame's JSON with only what a COCO file can hold."""
    content = copy.deepcopy(content)
    if content.get("humans"):
        content["humans"] = [human for human in content["humans"] if isinstance(human, dict) and "box" in human]
        for human in content["humans"]:
            if isinstance(human.get("parts"), dict):
                human["parts"] = {key: part for key, part in human["parts"].items() if is_box(part["box"])}
    if isinstance(content.get("objects"), list):
        content["objects"] = [
            thing
            for thing in content["objects"]
            if isinstance(thing, dict) and is_box(next(v for k, v in thing.items() if "box" in k))
        ]
    return content


@pytest.mark.parametrize("number", [number for number in FRAMES if number != 5])
def test_into_an_empty_root(root, number):
    """The file alone holds everything that has a box."""
    _, document = export(root)
    before = contents(root)
    shutil.rmtree(root / "train_annotations")
    problems = bring_back(root, document)
    assert all("there is no person 1" in problem for problem in problems) and len(problems) == 1  # of frame 5
    assert json.dumps(read_frame(root, number)) == json.dumps(FRAMES[number])
    after = contents(root)
    assert {name for name in before if after.get(name) != before[name]} == {str(frame_file(root, 5).relative_to(root))}
    assert read_frame(root, 5)["humans"] == without_leftovers(FRAMES[5])["humans"]


def test_by_way_of_cvat_into_an_empty_root(root):
    """CVAT drops what belongs to the frame itself, and frames without a box; the rest is as it was."""
    _, document = export(root)
    shutil.rmtree(root / "train_annotations")
    bring_back(root, like_cvat(document))
    frame = read_frame(root, 1)
    assert frame == {key: FRAMES[1][key] for key in ("humans", "objects")}
    assert json.dumps(frame["humans"]) == json.dumps(FRAMES[1]["humans"])
    assert not frame_file(root, 2).exists()
    assert read_frame(root, 7)["humans"] == FRAMES[7]["humans"]


@pytest.mark.parametrize("declared", [(), ("state", "person")])
def test_attributes_lost(root, declared):
    """Labels of a task that declare no attributes: boxes that are where they were keep what the file says."""
    _, document = export(root)
    before, times = contents(root), stamps(root)
    assert bring_back(root, like_cvat(document, declared=declared)) == []
    assert contents(root) == before and stamps(root) == times


def test_attributes_lost_of_two_in_one_place(root):
    twins = [{"number": number, "box": [1, 2, 30, 40], "score": number / 4, "parts": {}} for number in (1, 2)]
    frame_file(root, 9).write_text(json.dumps({"humans": twins}))
    _, document = export(root)
    assert bring_back(root, like_cvat(document, declared=())) == [] and read_frame(root, 9)["humans"] == twins


def test_original_too_long_for_cvat(root):
    content = copy.deepcopy(FRAMES[8])
    content["humans"][0]["track"] = list(range(2000))
    frame_file(root, 8).write_text(json.dumps(content))
    _, document = export(root)
    assert bring_back(root, like_cvat(document)) == [] and read_frame(root, 8) == content


def test_synthetic_people(people_root, tmp_path):
    root = Path(shutil.copytree(people_root, tmp_path / "data"))
    (root / "coco").mkdir()
    before = contents(root)
    _, document = export(root)
    shutil.rmtree(root / "train_annotations")
    assert bring_back(root, document) == [] and contents(root) == before


@pytest.mark.parametrize("seed", range(3))
def test_any_box_comes_back(root, seed):
    draw = np.random.default_rng(seed)
    humans = []
    for number in range(1, 201):
        x0, y0 = draw.uniform(-5, 60), draw.uniform(-5, 40)
        box = [x0, y0, x0 + draw.exponential(10) + 1e-9, y0 + draw.exponential(10) + 1e-9]
        digits = int(draw.integers(0, 17))
        box = [round(edge, digits) if draw.random() < 0.7 else edge for edge in box]
        humans.append({"number": number, "box": box, "parts": {}})
    humans = [human for human in humans if is_box(human["box"])]
    frame_file(root, 9).write_text(json.dumps({"humans": humans}))
    _, document = export(root)
    time = stamps(root)
    for rewrite in (lambda d: d, like_cvat, like_fiftyone):
        assert bring_back(root, rewrite(document)) == []
    assert stamps(root) == time
    frame_file(root, 9).unlink()
    bring_back(root, like_cvat(document))
    assert json.dumps(read_frame(root, 9)["humans"]) == json.dumps(humans)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([1, 2, 4, 8], [1, 2, 3, 6]),
        ([0.1, 0.0, 0.3, 0.5], [0.1, 0.0, 0.19999999999999998, 0.5]),
        ([0, 0, 0.5, 7], [0, 0, 0.5, 7]),
    ],
)
def test_xywh(box, expected):
    assert coco_box(box, (1.0, 1.0)) == expected
    assert [type(value) for value in coco_box(box, (1.0, 1.0))] == [type(value) for value in expected]


def test_xywh_of_a_smaller_image():
    assert coco_box([10, 20, 30, 45], (0.5, 1 / 3)) == [5, 6.67, 10, pytest.approx(8.33, abs=1e-9)]


REWRITES = pytest.mark.parametrize("rewrite", [lambda d: d, like_cvat], ids=["as it is", "CVAT"])


@REWRITES
def test_box_changed(root, rewrite):
    _, document = export(root)
    times = stamps(root)
    annotations_of(document, 1, "left_arm")[0]["bbox"] = [24, 15, 8.33, 15]  # the right edge alone
    annotations_of(document, 1, "object:none")[0]["bbox"] = [61, 50, 10, 10]
    assert bring_back(root, rewrite(document)) == []
    expected = copy.deepcopy(FRAMES[1])
    expected["humans"][0]["parts"]["left_arm"]["box"] = [24, 15.0, 32.33, 30]
    expected["objects"][1]["bbox"] = [61, 50, 71, 60]
    assert json.dumps(read_frame(root, 1)) == json.dumps(expected)
    assert [name for name, time in stamps(root).items() if time != times[name]] == [
        str(frame_file(root, 1).relative_to(root))
    ]


@pytest.mark.parametrize(("shift", "moved"), [(0.015, False), (0.0152, True), (-0.015, False), (-0.02, True)])
def test_edge_at_the_threshold(root, shift, moved):
    _, document = export(root)
    entry = annotations_of(document, 1, "object:ball")[0]
    entry["bbox"] = [1 + shift, 1, 8 - shift, 8]
    bring_back(root, document)
    assert (read_frame(root, 1)["objects"][0]["box"] != [1, 1, 9, 9]) == moved


@REWRITES
def test_state_number_and_category_changed(root, rewrite):
    _, document = export(root)
    [head], [arm] = annotations_of(document, 1, "head"), annotations_of(document, 1, "left_arm")
    head["attributes"] |= {"state": "lift", "number": 9}
    arm["category_id"] = category_id(document, "right_arm")
    annotations_of(document, 1, "object:ball")[0]["category_id"] = category_id(document, "object:none")
    annotations_of(document, 1, "object:none")[1]["category_id"] = category_id(document, "object:ball")
    annotations_of(document, 1, "object")[0]["category_id"] = category_id(document, "object:ball")
    assert bring_back(root, rewrite(document)) == []
    expected = copy.deepcopy(FRAMES[1])
    parts = expected["humans"][0]["parts"]
    parts["head"] |= {"verb": "lift", "number": 9}
    parts["right_arm"] = parts.pop("left_arm") | {"name": "right_arm"}
    expected["objects"][0]["name"] = "none"
    expected["objects"][1]["label"] = "ball"
    expected["objects"][2]["name"] = "ball"
    assert json.dumps(read_frame(root, 1)) == json.dumps(expected)


@REWRITES
def test_added(root, rewrite):
    _, document = export(root)
    add(document, 2, "person", [10, 10.5, 20, 30.25])
    add(document, 2, "person", [50, 10, 20, 30], person=8, state="__undefined__")
    add(document, 2, "head", [51, 11, 5, 5], person=8, state="lift", original="")
    add(document, 2, "left_arm", [20, 20, 5, 5], state="bend")  # inside the first
    add(document, 2, "object:ball", [0, 0, 4, 4])
    add(document, 1, "right_arm", [10, 15, 6, 15], person=1, state="bend")
    assert bring_back(root, rewrite(document)) == []
    frame = read_frame(root, 2)
    frame["humans"].sort(key=lambda human: human["box"])
    assert frame == {
        "humans": [
            {
                "number": 9,
                "box": [10, 10.5, 30, 40.75],
                "parts": {"left_arm": {"number": 9, "box": [20, 20, 25, 25], "verb": "bend", "name": "left_arm"}},
            },
            {
                "number": 8,
                "box": [50, 10, 70, 40],
                "parts": {"head": {"number": 8, "box": [51, 11, 56, 16], "verb": "lift", "name": "head"}},
            },
        ],
        "objects": [{"number": 1, "name": "ball", "box": [0, 0, 4, 4]}],
    }
    parts = read_frame(root, 1)["humans"][0]["parts"]
    assert list(parts) == ["head", "left_arm", "right_arm"]
    assert parts["right_arm"] == {"number": 1, "box": [10, 15, 16, 30], "verb": "bend", "name": "right_arm"}


@REWRITES
def test_deleted(root, rewrite):
    _, document = export(root)
    gone = [*annotations_of(document, 1, "head"), annotations_of(document, 1, "person")[1]]
    gone += [*annotations_of(document, 1, "object"), *annotations_of(document, 8)]
    document["annotations"] = [entry for entry in document["annotations"] if entry not in gone]
    assert bring_back(root, rewrite(document)) == []
    expected = copy.deepcopy(FRAMES[1])
    del expected["humans"][0]["parts"]["head"], expected["humans"][1], expected["objects"][2]
    assert json.dumps(read_frame(root, 1)) == json.dumps(expected)
    assert read_frame(root, 8) == {"humans": [], "objects": []}


def test_person_deleted_but_not_its_parts(root):
    _, document = export(root)
    person = annotations_of(document, 1, "person")[0]
    document["annotations"].remove(person)
    problems = bring_back(root, document)
    assert len(problems) == 2 and all("there is no person 1: set its attribute `person`" in line for line in problems)
    assert read_frame(root, 1)["humans"] == FRAMES[1]["humans"][1:]


@REWRITES
def test_person_copied_with_its_parts(root, rewrite):
    """A copy brings the attributes along, that of its number too."""
    _, document = export(root)
    for entry in [entry for entry in annotations_of(document, 1) if entry["attributes"].get("person") == 1]:
        twin = copy.deepcopy(entry) | {"id": 20_000 + entry["id"]}
        twin["bbox"][0] += 60
        document["annotations"].append(twin)
    assert bring_back(root, rewrite(document)) == []
    humans = read_frame(root, 1)["humans"]
    assert humans[:3] == FRAMES[1]["humans"] and len(humans) == 4
    assert (humans[3]["number"], humans[3]["box"]) == (8, [70, 5, 90, 45])
    assert {name: part["box"] for name, part in humans[3]["parts"].items()} == {
        "head": [76, 5, 84, 15],
        "left_arm": [84, 15.0, 90.12, 30],
    }


CROWD = [
    {
        "number": number,
        "box": [x, 5, x + 40.3, 60],
        "score": number / 4,
        "parts": {
            "head": {"number": number, "box": [x + 8.1, 5, x + 20, 15], "verb": "lift", "name": "head", "seen": 3},
            "left_arm": {"number": number, "box": [x, 15.0, x + 39, 30], "verb": "bend", "name": "left_arm"},
            "right_arm": {"number": number, "box": [x + 3, 20, x + 9, 31], "verb": "none", "name": "right_arm"},
        },
    }
    for number, x in ((1, 4.7), (2, 30.2))
]


def copy_person(document: dict[str, Any], number: int, step: float, *, to: int | None = None) -> list[dict[str, Any]]:
    """Paste person 1 of a frame with its parts, ``step`` pixels right and half that down, or in frame ``to``."""
    twins = []
    exported = [entry for entry in annotations_of(document, number) if entry["id"] < 10_000]
    for entry in [entry for entry in exported if entry["attributes"]["person"] == 1]:
        twin = copy.deepcopy(entry) | {"id": 10_000 + len(document["annotations"])}
        twin["image_id"] = image_of(document, number if to is None else to)["id"]
        twin["bbox"] = [twin["bbox"][0] + step, twin["bbox"][1] + step / 2, *twin["bbox"][2:]]
        twins.append(twin)
        document["annotations"].append(twin)
    return twins


def moved(human: dict[str, Any], step: float, number: int) -> dict[str, Any]:
    """A person as :func:`copy_person` pastes it, edges to the hundredth of a pixel."""
    human = copy.deepcopy(human) | {"number": number}
    for item in (human, *human["parts"].values()):
        item["box"] = [pytest.approx(edge + step / (1 + i % 2), abs=0.02) for i, edge in enumerate(item["box"])]
    return human


@REWRITES
@pytest.mark.parametrize("step", [0, 0.5, 5.37, 20.13, 45])
def test_person_copied_over_itself(root, rewrite, step):
    """Boxes of the copy and of the original overlap, and those of a second person."""
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    copy_person(document, 9, step)
    assert bring_back(root, rewrite(document)) == []
    assert read_frame(root, 9)["humans"] == [*CROWD, moved(CROWD[0], step, 3)]


@REWRITES
def test_person_copied_twice(root, rewrite):
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    for step in (12, 6):
        copy_person(document, 9, step)
    assert bring_back(root, rewrite(document)) == []
    assert read_frame(root, 9)["humans"] == [*CROWD, moved(CROWD[0], 6, 3), moved(CROWD[0], 12, 4)]


@REWRITES
def test_copy_is_given_a_number_but_not_its_parts(root, rewrite):
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    copy_person(document, 9, 8)[0]["attributes"]["person"] = 7
    assert bring_back(root, rewrite(document)) == []
    assert read_frame(root, 9)["humans"] == [*CROWD, moved(CROWD[0], 8, 7)]


@REWRITES
def test_parts_moved_after_the_copy(root, rewrite):
    """Each is nearest to its own person's step; a head as far from both goes where there is none."""
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    twins = {json.loads(twin["attributes"]["original"])["at"][2]: twin for twin in copy_person(document, 9, 10)}
    twins["head"]["bbox"][0] -= 5
    twins["left_arm"]["bbox"][0] += 4
    [arm] = [entry for entry in annotations_of(document, 9, "right_arm") if entry["attributes"]["person"] == 1][:1]
    arm["bbox"][0] += 6  # nearer to the copy's step, but the copy's own arm fits it better
    assert bring_back(root, rewrite(document)) == []
    first, second, third = read_frame(root, 9)["humans"]
    left_edges = [[human["parts"][name]["box"][0] for name in sorted(human["parts"])] for human in (first, third)]
    assert left_edges == [[12.8, 4.7, 13.7], [pytest.approx(17.8), pytest.approx(18.7), pytest.approx(17.7)]]
    assert second == CROWD[1]


@REWRITES
def test_copy_keeps_changed_attributes(root, rewrite):
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    copy_person(document, 9, 8)[1]["attributes"]["state"] = "none"
    expected = moved(CROWD[0], 8, 3)
    expected["parts"]["head"]["verb"] = "none"
    assert bring_back(root, rewrite(document)) == []
    assert read_frame(root, 9)["humans"] == [*CROWD, expected]


@REWRITES
@pytest.mark.parametrize("step", [0, 3])
def test_person_pasted_into_another_frame(root, rewrite, step):
    """There too is a person 1 in its place, which lacks a part that the pasted one has."""
    there = copy.deepcopy(CROWD)
    del there[0]["parts"]["head"]
    there[0]["box"][0] += 2
    there[0]["parts"]["left_arm"]["box"][0] += 2
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    frame_file(root, 10).write_text(json.dumps({"humans": there}))
    _, document = export(root)
    copy_person(document, 9, step, to=10)
    assert bring_back(root, rewrite(document)) == []
    assert read_frame(root, 9)["humans"] == CROWD
    humans = read_frame(root, 10)["humans"]
    assert humans[1:] == [there[1], moved(CROWD[0], step, 3)] and humans[0]["box"] == there[0]["box"]
    assert humans[0]["parts"]["left_arm"] == there[0]["parts"]["left_arm"]


def test_copy_that_lost_what_it_was(root):
    """Without ``original`` nothing tells how far a copy was moved; what stayed is still the original's."""
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    copy_person(document, 9, 8)
    assert bring_back(root, like_cvat(document, declared=("state", "person"))) == []
    humans = read_frame(root, 9)["humans"]
    assert humans[:2] == CROWD and [human["number"] for human in humans] == [1, 2, 3]
    assert sorted(humans[2]["parts"]) == ["head", "left_arm", "right_arm"]


def test_one_person_and_three_of_its_heads(root):
    """A part that no copied person has room for is told."""
    frame_file(root, 9).write_text(json.dumps({"humans": CROWD}))
    _, document = export(root)
    copy_person(document, 9, 8)
    [head] = [entry for entry in annotations_of(document, 9, "head") if entry["id"] < 10_000][:1]
    document["annotations"].append(head | {"id": 20_000, "bbox": [40, 9, 12, 10]})
    [problem] = bring_back(root, document)
    assert "head: person 3 has another: delete one of them" in problem
    assert read_frame(root, 9)["humans"] == [*CROWD, moved(CROWD[0], 8, 3)]


@REWRITES
def test_person_numbered_anew_keeps_its_parts(root, rewrite):
    _, document = export(root)
    annotations_of(document, 1, "person")[0]["attributes"]["person"] = 5
    assert bring_back(root, rewrite(document)) == []
    expected = copy.deepcopy(FRAMES[1])
    expected["humans"][0]["number"] = 5
    assert json.dumps(read_frame(root, 1)) == json.dumps(expected)


@REWRITES
def test_part_given_to_another(root, rewrite):
    _, document = export(root)
    annotations_of(document, 1, "head")[0]["attributes"]["person"] = 2
    assert bring_back(root, rewrite(document)) == []
    humans = read_frame(root, 1)["humans"]
    assert list(humans[0]["parts"]) == ["left_arm"] and humans[1]["parts"] == {
        "head": FRAMES[1]["humans"][0]["parts"]["head"]
    }


@pytest.mark.parametrize(
    ("bbox", "owner"),
    [
        ([16, 10, 4, 4], 0),  # inside the first alone
        ([28, 10, 4, 4], 0),  # half in the first; the second begins at 40
        ([39, 10, 4, 4], 1),
        ([52, 10, 4, 4], 2),  # inside two: the smaller
        ([48, 10, 4, 4], 1),  # half in the smaller
        ([90, 50, 4, 4], None),
        ([30, 10, 4, 4], None),  # touches
    ],
)
def test_part_without_a_person(root, bbox, owner):
    boxes = [[10, 5, 30, 45], [40, 5, 90, 45], [50, 5, 70, 45]]
    humans = [{"number": i, "box": box, "parts": {}} for i, box in enumerate(boxes, 1)]
    frame_file(root, 9).write_text(json.dumps({"humans": humans}))
    _, document = export(root)
    add(document, 9, "head", bbox, state="lift")
    problems = bring_back(root, document)
    assert [i for i, human in enumerate(read_frame(root, 9)["humans"]) if human["parts"]] == (
        [] if owner is None else [owner]
    )
    assert [("no person contains it: set its attribute `person`" in line) for line in problems] == [True] * (
        owner is None
    )


def test_part_twice(root):
    _, document = export(root)
    add(document, 1, "head", [17, 6, 5, 5], person=1, state="lift")
    [problem] = bring_back(root, document)
    assert "head: person 1 has another: delete one of them" in problem and read_frame(root, 1) == FRAMES[1]


def test_box_for_a_part_that_had_none(root):
    _, document = export(root)
    add(document, 5, "right_arm", [41, 15, 5, 15], person=3, state="lift")
    assert bring_back(root, document) == []
    expected = copy.deepcopy(FRAMES[5])
    expected["humans"][2]["parts"]["right_arm"] = {
        "number": 3,
        "box": [41, 15, 46, 30],
        "verb": "lift",
        "name": "right_arm",
    }
    assert read_frame(root, 5) == expected


@pytest.mark.parametrize(
    ("category", "attributes", "told"),
    [
        ("tail", {"state": "lift"}, "category 'tail' is not in .*/list/body_part.txt: add it there or choose another"),
        ("object:goal", {}, "category 'object:goal' is not in .*/list/object.txt: add it there"),
        ("head", {}, "it has no state: set its attribute `state`; it is left out"),
        ("head", {"state": "__undefined__"}, "it has no state"),
        ("head", {"state": "fly"}, "state 'fly' is not in .*/list/part_stat.txt: add it there"),
        ("head", {"state": "lift", "rotation": 30.0}, "its box is turned: draw it upright; it is left out"),
    ],
)
def test_new_item_that_cannot_be(root, category, attributes, told):
    _, document = export(root)
    add(document, 8, category, [0.1, 10, 0.1, 5], person=1, **attributes)
    [problem] = bring_back(root, document)
    assert re.search(rf"back.json: {ACTION[:7]}.*img_00008.jpg: annotation \d+ \({category}\): {told}", problem)
    assert read_frame(root, 8) == FRAMES[8]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bbox": [16, 5, 0, 10]}, "covers nothing: draw it again; the box stays as it was"),
        ({"bbox": [16, 5, -8, 10]}, "covers nothing"),
        ({"bbox": [16, 5, 8]}, "its bbox is not four numbers"),
        ({"bbox": [16, 5, float("nan"), 8]}, "its bbox is not four numbers"),
        ({"bbox": None}, "its bbox is not four numbers"),
        ({"bbox": [96, 5, 8, 10]}, "is outside the frame"),
        ({"bbox": [-8, 5, 8, 10]}, "is outside the frame"),
        ({"category_id": 99}, "its category is not among the file's categories: correct category_id; it stays 'head'"),
        ({"category_id": [1]}, "its category is not among"),
    ],
)
def test_change_that_cannot_be(root, change, told):
    _, document = export(root)
    entry = annotations_of(document, 1, "head")[0]
    entry.update(change)
    [problem] = bring_back(root, document)
    assert told in problem and read_frame(root, 1) == FRAMES[1]


def test_unknown_state_leaves_the_other_changes(root):
    _, document = export(root)
    entry = annotations_of(document, 1, "head")[0]
    entry["bbox"] = [17, 5, 7, 10]
    entry["attributes"]["state"] = "fly"
    [problem] = bring_back(root, document)
    assert "the state stays as it was" in problem
    head = read_frame(root, 1)["humans"][0]["parts"]["head"]
    assert head == FRAMES[1]["humans"][0]["parts"]["head"] | {"box": [17, 5, 24, 15]}


def test_objects_with_keys(root):
    _, document = export(root)
    annotations_of(document, 6, "object:stick")[0]["bbox"] = [1, 2, 3, 4]
    add(document, 6, "object:ball", [5, 5, 2, 2])
    assert bring_back(root, document) == []
    assert read_frame(root, 6) == {
        "humans": None,
        "objects": {
            "ball": {"box": [1, 2, 3, 4]},
            "stick": {"box": [1, 2, 4, 6]},
            "ball_1": {"number": 1, "name": "ball", "box": [5, 5, 7, 7]},
        },
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (f"{ACTION}/other/img_00001.jpg", f"has no video {ACTION}/other: images are named"),
        ("img_00001.jpg", "its name has no action and video: images are named <action>/<video>/img_00001.jpg"),
        (f"{ACTION}/{VIDEO}/frame_000001.PNG", "is not named as a frame"),
        (f"{ACTION}/{VIDEO}/img_00000.jpg", "is not named as a frame"),
        (f"{ACTION}/{VIDEO}/img_00013.jpg", "the video has 12 frames: correct the name"),
        (f"{ACTION}/{VIDEO}/img_00002.jpg", "is in the file more than once: keep one"),
    ],
)
def test_image_that_is_not_in_root(root, name, told):
    _, document = export(root)
    times = stamps(root)
    image_of(document, 1)["file_name"] = name
    problems = bring_back(root, document)
    assert len(problems) == 1 and told in problems[0] and "back.json: " in problems[0]
    assert stamps(root) == times


def test_image_names_with_folders_before(root):
    _, document = export(root)
    for image in document["images"]:
        image["file_name"] = "train_frames\\" + image["file_name"].replace("/", "\\").replace(".jpg", ".webp")
    assert bring_back(root, document) == []


@pytest.mark.parametrize("size", [(0, 64), (None, 64), ("96", 64)])
def test_image_without_size(root, size):
    _, document = export(root)
    image_of(document, 1).update(width=size[0], height=size[1])
    [problem] = bring_back(root, document)
    assert "has no width and height: export the file again" in problem


def test_image_of_another_shape(root):
    _, document = export(root)
    image_of(document, 1).update(width=64, height=64)
    [problem] = bring_back(root, document)
    assert "is 64x64 but the video's frames are 96x64: it is of another video" in problem


def test_smaller_frames(root):
    """Boxes are those of the extracted images, which CVAT shows; unchanged ones come back to the last bit."""
    folder = root / "train_frames" / ACTION / VIDEO
    folder.mkdir(parents=True)
    (folder / "img_00001.webp").write_bytes(b"")  # passed over
    (folder / "img_00002.webp").write_bytes(cv2.imencode(".webp", np.zeros((32, 48, 3), np.uint8))[1].tobytes())
    out = root / "coco" / "small.json"
    export_coco(root, out, progress=False)
    document = json.loads(out.read_text())
    [image] = [i for i in document["images"] if i["file_name"] == f"{ACTION}/{VIDEO}/img_00001.webp"]
    assert (image["width"], image["height"]) == (48, 32)
    boxes = [entry["bbox"] for entry in document["annotations"] if entry["image_id"] == image["id"]]
    assert boxes[0] == [5, 2.5, 10, 20]
    before, times = contents(root), stamps(root)
    assert bring_back(root, like_cvat(document)) == []
    assert contents(root) == before and stamps(root) == times
    [entry] = [e for e in document["annotations"] if e["bbox"] == boxes[0] and e["image_id"] == image["id"]]
    entry["bbox"] = [6, 2.5, 10, 20]
    assert bring_back(root, document) == []
    assert read_frame(root, 1)["humans"][0]["box"] == [12, 5, 32, 45]


def test_broken_frames(root):
    frame_file(root, 3).write_text('{"humans": [')
    frame_file(root, 4).write_text('{"humans": 3}')
    problems = export_coco(root, root / "coco.json", progress=False)
    told = {problem.path.name: problem for problem in problems if problem.skipped == "frame"}
    assert list(told) == ["img_00003.json", "img_00004.json"]
    assert "cannot be read" in told["img_00003.json"].message and told["img_00003.json"].message.endswith("restore it")
    document = json.loads((root / "coco.json").read_text())
    assert len(document["images"]) == 70


def test_frame_broken_since(root):
    _, document = export(root)
    frame_file(root, 4).write_text("{")
    [problem] = bring_back(root, document)
    assert "img_00004.json: cannot be read" in problem and "restore or remove it, and import again" in problem
    assert frame_file(root, 4).read_text() == "{"
    frame_file(root, 4).unlink()
    assert bring_back(root, document) == [] and read_frame(root, 4) == FRAMES[4]


def test_frame_without_annotation(root):
    """CVAT lists every image of a task: one without a box and without a file stays without a file."""
    _, document = export(root)
    frame_file(root, 2).unlink()
    assert bring_back(root, like_cvat(document)) == [] and not frame_file(root, 2).exists()
    add(document, 2, "person", [1, 2, 3, 4])
    assert bring_back(root, like_cvat(document)) == []
    assert read_frame(root, 2) == {"humans": [{"number": 1, "box": [1, 2, 4, 6], "parts": {}}], "objects": []}


def test_frames_that_the_file_has_not_are_left(root):
    _, document = export(root)
    kept = image_of(document, 1)
    document["images"] = [kept]
    document["annotations"] = [entry for entry in annotations_of(document, 1) if entry["area"] > 100]
    times = stamps(root)
    bring_back(root, document)
    assert [Path(name).name for name, time in stamps(root).items() if time != times[name]] == ["img_00001.json"]


def test_nested_folders(root):
    folder = frame_file(root, 1).parent
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    (folder.with_name("away")).rename(folder / folder.name)
    _, document = export(root)
    annotations_of(document, 8)[0]["bbox"] = [1, 2, 3, 4]
    assert bring_back(root, document) == []
    content = json.loads((folder / folder.name / "img_00008.json").read_text())
    assert content["humans"][0]["box"] == [1, 2, 4, 6] and not (folder / "img_00008.json").exists()


def test_named_split(root):
    (root / "splits").mkdir()
    videos = [f"{ACTION}/{VIDEO}.mp4", "pull_ups/pull_ups_train_1.mp4", "pull_ups/gone.mp4"]
    (root / "splits" / "mine.json").write_text(json.dumps({"subsets": {"val": videos}}))
    problems = export_coco(root, root / "mine.json", split="mine/val", progress=False)
    images = json.loads((root / "mine.json").read_text())["images"]
    assert {image["file_name"].rpartition("/")[0] for image in images} == {
        f"{ACTION}/{VIDEO}",
        "pull_ups/pull_ups_train_1",
    }
    [problem] = [problem for problem in problems if problem.skipped == "video"]
    assert problem.path.name == "gone.mp4" and "missing: restore it, or write the split again" in problem.message


@pytest.mark.parametrize(
    ("split", "rewrite", "written"),
    [("test", lambda d: d, "test"), ("train", lambda d: d, "train"), ("train", like_cvat, "train")],
    ids=["test", "train", "not told"],
)
def test_split_is_found_again(root, split, rewrite, written):
    """Also where train and test have a video of the same action and name."""
    other = {"test": "train", "train": "test"}[split]
    _, document = export(root, split=split)
    shutil.copytree(root / f"{split}_videos", root / f"{other}_videos", dirs_exist_ok=True)
    name = "pull_ups/pull_ups_test_0" if split == "test" else "pull_ups/pull_ups_train_0"
    [image] = [i for i in document["images"] if i["file_name"] == f"{name}/img_00001.jpg"]
    entry = next(entry for entry in document["annotations"] if entry["image_id"] == image["id"])
    entry["bbox"] = [1, 2, 3, 4]
    assert bring_back(root, rewrite(document)) == []
    frame = json.loads((root / f"{written}_annotations" / name / "img_00001.json").read_text())
    assert frame["humans"][0]["box"] == [1, 2, 4, 6]
    assert not (root / f"{other}_annotations" / name).exists()


def test_videos_and_annotations_that_do_not_meet(root):
    shutil.rmtree(root / "train_annotations" / "pull_ups" / "pull_ups_train_0")
    (root / "train_videos" / "push_up" / "push_up_train_0.mp4").unlink()
    (root / "train_videos" / "push_up" / "push_up_train_1.mp4").write_bytes(b"")
    shutil.copy(
        root / "train_videos" / "pull_ups" / "pull_ups_train_1.mp4",
        root / "train_videos" / "pull_ups" / "pull_ups_train_1.avi",
    )
    problems = export_coco(root, root / "coco.json", progress=False)
    told = {
        problem.path.name: problem.message
        for problem in problems
        if problem.path.parent.name in ("pull_ups", "push_up")
    }
    assert "put img_00001.json and so on there" in told["pull_ups_train_0"]
    assert "has no video: put it at" in told["push_up_train_0"]
    assert "is empty: replace or remove it" in told["push_up_train_1.mp4"]
    assert "has the name of pull_ups_train_1.avi: rename one" in told["pull_ups_train_1.mp4"]
    document = json.loads((root / "coco.json").read_text())
    assert len(document["images"]) == 36
    assert bring_back(root, document) == []


def test_video_broken_since(root):
    _, document = export(root)
    elsewhere = Path(shutil.copytree(root, root.with_name("elsewhere")))
    (elsewhere / "train_videos" / ACTION / f"{VIDEO}.mp4").write_bytes(b"")
    times = stamps(elsewhere)
    document["annotations"] = []
    [problem] = [line for line in bring_back(elsewhere, document) if VIDEO in line]
    assert "img_00001.jpg, as 11 more images of it: " in problem and "is empty: replace or remove it" in problem
    changed = [name for name, time in stamps(elsewhere).items() if time != times[name]]
    assert len(changed) == 60 and not any(VIDEO in name for name in changed)


def test_nothing_to_export(root):
    shutil.rmtree(root / "train_annotations")
    with pytest.raises(InputError, match="train_annotations is missing, so there is nothing to export: put img_00001"):
        export_coco(root, root / "coco.json", progress=False)
    (root / "train_annotations").mkdir()
    problems = export_coco(root, root / "coco.json", progress=False)
    assert len(problems) == 6 and json.loads((root / "coco.json").read_text())["images"] == []


@pytest.mark.parametrize("split", ["dap/val", "elsewhere"])
def test_split_that_is_not_there(root, split):
    with pytest.raises(InputError, match="dap.json is missing|has no split 'elsewhere'"):
        export_coco(root, root / "coco.json", split=split)
    assert not (root / "coco.json").exists()


def test_labels_for_cvat(root):
    out, _ = export(root)
    labels = json.loads(out.with_name("all of it_cvat_labels.json").read_text())
    by_name = {label["name"]: label["attributes"] for label in labels}
    assert list(by_name)[:4] == ["person", "head", "left_arm", "right_arm"]
    assert [attribute["name"] for attribute in by_name["head"]] == ["person", "state", "number", "original"]
    assert by_name["head"][1] == {
        "name": "state",
        "mutable": True,
        "input_type": "select",
        "default_value": "__undefined__",
        "values": ["__undefined__", "none", "bend", "lift"],
    }
    assert [attribute["name"] for attribute in by_name["object:ball"]] == ["number", "original"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no list of images, annotations, categories"),
        ('{"images": [], "categories": []}', "has no list of annotations: export it again, in CVAT as COCO 1.0"),
        ('{"images": [3], "annotations": [], "categories": []}', "an image without id or file_name"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "an image without id or file_name"),
        ('{"images": [], "annotations": ["a"], "categories": []}', "has 'a' among its annotations"),
        ('{"images": [], "annotations": [], "categories": [null]}', "has 'None' among its categories"),
        (
            '{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": [],'
            ' "categories": []}',
            "has two images of one id",
        ),
    ],
)
def test_file_that_is_not_coco(root, content, told):
    file = root / "coco.json"
    file.write_text(content)
    with pytest.raises(InputError, match="coco.json .*: .*") as raised:
        import_coco(file, root)
    assert told in str(raised.value)


def test_archive_and_missing_file(root):
    with zipfile.ZipFile(root / "task.zip", "w") as archive:
        archive.writestr("annotations/instances_default.json", "{}")
    with pytest.raises(InputError, match="task.zip is a ZIP archive: unpack it and give the file annotations/inst"):
        import_coco(root / "task.zip", root)
    with pytest.raises(InputError, match="none.json is missing: check the path"):
        import_coco(root / "none.json", root)


def test_folder_in_place_of_a_file(root, run_tool, capsys):
    folder = root / "größe (2)"
    folder.mkdir()
    assert run_tool("prepare_data", "coco", "export", root, "--out", folder) == 2
    assert f"error: {folder} is a folder: give the name of a file in it, such as {folder}/l" in capsys.readouterr().err
    assert run_tool("prepare_data", "coco", "import", root, folder) == 2
    assert f"error: {folder} is a folder: give the COCO file in it, annotations/instances" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_export_to_a_full_disk(root, little_room):
    out = root / "coco" / "a.json"
    told = r"coco/a.json cannot be written \(File too large\): make room there"
    with little_room(), pytest.raises(InputError, match=told):
        export_coco(root, out, progress=False)
    assert list(out.parent.iterdir()) == []


def test_import_to_a_full_disk(root, little_room):
    _, document = export(root)
    annotations_of(document, 8)[0]["attributes"]["original"] = json.dumps(
        {"at": ["person", 0, "person", "1"], "item": {"number": 1, "box": [1, 2, 3, 4], "track": list(range(2000))}}
    )
    file = root / "coco" / "back.json"
    file.write_text(json.dumps(document))
    told = r"img_00008.json cannot be written \(File too large\): make room there"
    with little_room(), pytest.raises(InputError, match=told):
        import_coco(file, root, progress=False)
    assert read_frame(root, 8) == FRAMES[8]


def test_annotations_of_no_image(root):
    _, document = export(root)
    document["annotations"].append({"id": 5, "image_id": 999, "category_id": 1, "bbox": [1, 1, 1, 1]})
    [problem] = bring_back(root, document)
    assert "1 annotations are of image 999, which is not there: correct image_id" in problem


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("1.0", 1), (1.0, 1), ("1", 1), (" 2 ", 2), ("1.5", 1.5), (1.5, 1.5), (0, 0), ("-3", -3)],
        *[("b", "b"), ("", None), ("  ", None), (None, None), (True, None), ([], None), (float("nan"), None)],
        *[("123456789012345678", 123456789012345678), ("nan", "nan"), ("1e400", None)],
    ],
)
def test_plain_number(value, expected):
    assert plain_number(value) == expected and type(plain_number(value)) is type(expected)


def test_light_import(environment):
    code = "import tpsparse.datasets.coco, sys; assert not {'torch', 'mmengine'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def test_tool(run_tool, root, capsys):
    out = root / "coco.json"
    assert run_tool("prepare_data", "coco", "export", root, "--out", out) == 3  # frame 5 has what cannot be exported
    times = stamps(root)
    assert run_tool("prepare_data", "coco", "import", root, out) == 0 and stamps(root) == times
    assert run_tool("prepare_data", "coco", "export", root, "--out", out, "--split", "val") == 2
    assert "has no split 'val': use train, test, or" in capsys.readouterr().err
    os.remove(out)
    assert run_tool("prepare_data", "coco", "import", root, out) == 2
