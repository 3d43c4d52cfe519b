"""Write the annotations of a split as one COCO file."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from ...errors import InputError
from ...structures.files import atomic_write, write_json, writing_told
from ...taxonomy import Taxonomy
from ..layout import (
    FRAME_FILE,
    annotation_folder,
    annotations_folder,
    frame_name,
    frames_folder,
    video_paths,
    videos_folder,
)
from ..problems import ProblemLog
from ..splits import read_split
from ..video import open_video
from .items import NAMELESS, OBJECT, OBJECT_PREFIX, PART, PERSON, FrameItems, Item, plain_number, take_apart

UNDEFINED = "__undefined__"
"""CVAT's word for an attribute that was not given."""

Size = tuple[int, int]


class Picture(NamedTuple):
    """What the images of a video are: their size (H, W), that of the video's frames, and the suffix of their files."""

    size: Size
    frame_size: Size
    suffix: str


def export_coco(root: Path, out: Path, *, split: str = "train", progress: bool = True) -> ProblemLog:
    """Write the annotations of a split to the COCO file ``out``, and beside it the labels for a task in CVAT.

    Args:
        root: A data set in the official layout.
        out: The file; ``<name>_cvat_labels.json`` is written beside it.
        split: ``train``, ``test``, or a named split such as ``dap/val``.
        progress: Whether to show a bar.

    Returns:
        What could not be exported; a person, part or object without a usable box stays in its annotation, and is there
        after an import.

    Raises:
        InputError: If the split is not known or has no annotations, a list of ``root`` is missing, or ``out`` is a
            folder or cannot be written.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder: give the name of a file in it, such as {out / 'labels.json'}")
    taxonomy = Taxonomy.from_root(root)
    listed = read_split(root, split)
    official = split if listed is None else "train"
    if not annotations_folder(root, official).is_dir():
        told = "put img_00001.json and so on at <action>/<video>/ in it"
        raise InputError(f"{annotations_folder(root, official)} is missing, so there is nothing to export: {told}")
    problems = ProblemLog()
    videos = _videos(root, official, listed, problems)
    with (
        writing_told(out),
        atomic_write(out) as partial,
        partial.open("w", encoding="ascii") as file,
        tempfile.TemporaryFile("w+", encoding="ascii", dir=partial.parent) as held,
    ):
        writer = _Writer(file, held, taxonomy, problems)
        writer.begin(official, split)
        for path in tqdm(videos, desc="export", unit="video", disable=not progress):
            writer.write_video(root, official, path)
        writer.end()
    labels = out.with_name(f"{out.stem}_cvat_labels.json")
    with writing_told(labels):
        write_json(labels, _cvat_labels(writer.categories, taxonomy))
    return problems


def coco_box(box: list[Any], scale: tuple[float, float]) -> list[float]:
    """COCO's xywh in pixels of the image.

    With whole numbers, x + w is x1. With fractions it can differ in the last bit, and no w does better: of 100,000
    boxes with two decimals, 955 have none. So import takes the edges from the attribute ``original``.

    Args:
        box: xyxy in pixels of the video's frame.
        scale: (x, y) pixels of the image to one of the frame.
    """
    if scale != (1.0, 1.0):
        box = [round(edge * scale[i % 2], 2) for i, edge in enumerate(box)]
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


class _Writer:
    """Writes images as they come, and holds annotations in a second file until the images are done."""

    def __init__(self, file: IO[str], held: IO[str], taxonomy: Taxonomy, problems: ProblemLog) -> None:
        self.file, self.held, self.problems = file, held, problems
        objects = [OBJECT_PREFIX + name for name in taxonomy.objects]
        self.categories = {name: i for i, name in enumerate([PERSON, *taxonomy.parts, *objects], start=1)}
        self.num_images = self.num_annotations = 0

    def begin(self, official: str, split: str) -> None:
        info = {
            "description": "Part-level action parsing, exported by tpsparse",
            "tps_split": official,
            "tps_name": split,
        }
        self.file.write(f'{{"info": {json.dumps(info)},\n"licenses": [],\n"images": [')

    def write_video(self, root: Path, split: str, path: Path) -> None:
        action, name = path.parent.name, path.stem
        folder = annotation_folder(root, split, action, name)
        if not folder.is_dir():
            self.problems.add("annotations of video", folder, "is missing: put img_00001.json and so on there")
            return
        try:
            picture = _picture(root, split, path)
        except InputError as error:
            self.problems.add("video", path, str(error).removeprefix(f"{path} "))
            return
        for number, file in frame_files(folder).items():
            frame = self._read(file)
            if frame is not None:
                self._write_frame(frame, f"{action}/{name}/{frame_name(number, picture.suffix)}", picture)

    def end(self) -> None:
        self.file.write('\n],\n"annotations": [')
        self.held.seek(0)
        shutil.copyfileobj(self.held, self.file)
        categories = [
            {"id": number, "name": name, "supercategory": _kind(name)} for name, number in self.categories.items()
        ]
        self.file.write(f'\n],\n"categories": {json.dumps(categories)}}}\n')

    def _read(self, file: Path) -> FrameItems | None:
        try:
            frame = take_apart(json.loads(file.read_bytes()))
        except (ValueError, OSError, RecursionError) as error:
            self.problems.add("frame", file, f"cannot be read ({error}): restore it")
            return None
        for leftover in frame.leftovers:
            self.problems.add(leftover.kind, file, f"{leftover.told}: correct it there, it is not in the COCO file")
        return frame

    def _write_frame(self, frame: FrameItems, file_name: str, picture: Picture) -> None:
        self.num_images += 1
        height, width = picture.size
        image = {"id": self.num_images, "file_name": file_name, "width": width, "height": height}
        self._line(self.file, {**image, "original": json.dumps(frame.rest)}, first=self.num_images == 1)
        scale = (width / picture.frame_size[1], height / picture.frame_size[0])
        for item in frame.items:
            self.num_annotations += 1
            box = coco_box(item.box, scale)
            annotation = {
                "id": self.num_annotations,
                "image_id": self.num_images,
                "category_id": self.categories.setdefault(item.category, len(self.categories) + 1),
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "segmentation": [],
                "attributes": _attributes(item),
            }
            self._line(self.held, annotation, first=self.num_annotations == 1)

    @staticmethod
    def _line(file: IO[str], entry: dict[str, Any], *, first: bool) -> None:
        file.write(("\n" if first else ",\n") + json.dumps(entry, allow_nan=False))


def frame_files(folder: Path) -> dict[int, Path]:
    """Frame number, in order, to the file of its annotation."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    files: dict[int, Path] = {}
    for path in paths:
        if match := FRAME_FILE.fullmatch(path.name):
            files.setdefault(int(match[1]), path)  # img_00001.json comes before img_1.json
    return dict(sorted(files.items()))


def _attributes(item: Item) -> dict[str, Any]:
    """Scalars only, and no name that CVAT or FiftyOne gives a meaning of its own."""
    attributes: dict[str, Any] = {}
    if item.kind != OBJECT:
        attributes["person"] = plain_number(item.person)
    if item.kind == PART:
        state = item.content.get("verb")
        attributes["state"] = state if isinstance(state, str) else ""
    number = plain_number(item.content.get("number"))
    if item.kind != PERSON and number is not None:
        attributes["number"] = number
    attributes["original"] = json.dumps({"at": item.path, "item": item.content})
    return attributes


def _videos(root: Path, official: str, listed: list[str] | None, problems: ProblemLog) -> list[Path]:
    """Videos to export, each name of an action once; annotations without a video are told."""
    folder = videos_folder(root, official)
    paths = video_paths(root, official) if listed is None else [folder / entry for entry in listed]
    videos: dict[tuple[str, str], Path] = {}
    for path in paths:
        if not path.is_file():
            problems.add("video", path, "is in the split but missing: restore it, or write the split again")
        elif videos.setdefault((path.parent.name, path.stem), path) is not path:
            problems.add("video", path, f"has the name of {videos[path.parent.name, path.stem].name}: rename one")
    for annotated in sorted(annotations_folder(root, official).glob("*/*")) if listed is None else ():
        action, name = annotated.parent.name, annotated.name
        if annotated.is_dir() and (action, name) not in videos and not name.startswith("."):
            problems.add("annotations of video", annotated, f"has no video: put it at {folder / action / name}.mp4")
    return list(videos.values())


def _picture(root: Path, split: str, path: Path) -> Picture:
    """The size of a video's images: of those that were extracted, or of its frames."""
    frame_size = open_video(path).size
    folder = frames_folder(root, split) / path.parent.name / path.stem
    for image in sorted(folder.glob("img_*")) if folder.is_dir() else ():
        decoded = cv2.imdecode(np.frombuffer(image.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
        if decoded is not None:
            return Picture((decoded.shape[0], decoded.shape[1]), frame_size, image.suffix)
    return Picture(frame_size, frame_size, ".jpg")


def _kind(category: str) -> str:
    if category == PERSON:
        return PERSON
    return OBJECT if category == NAMELESS or category.startswith(OBJECT_PREFIX) else PART


def _cvat_labels(categories: dict[str, int], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Labels of a task as CVAT's "Raw" tab takes them: without them, it drops the attributes."""

    def text(name: str) -> dict[str, Any]:
        return {"name": name, "mutable": True, "input_type": "text", "default_value": "", "values": [""]}

    states = [UNDEFINED, *taxonomy.states]
    state = {"name": "state", "mutable": True, "input_type": "select", "default_value": UNDEFINED, "values": states}
    attributes = {
        PERSON: [text("person"), text("original")],
        PART: [text("person"), state, text("number"), text("original")],
        OBJECT: [text("number"), text("original")],
    }
    return [{"name": name, "type": "rectangle", "attributes": attributes[_kind(name)]} for name in categories]
