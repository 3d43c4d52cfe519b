"""Read a COCO file back into the annotations of a data set."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from tqdm import tqdm

from ...errors import InputError
from ...structures.files import atomic_write, writing_told
from ...taxonomy import Taxonomy
from ..layout import SPLITS, annotation_folder, frame_name, video_paths, videos_folder
from ..problems import ProblemLog
from ..video import open_video
from .assembling import assemble
from .exporting import frame_files
from .items import FrameItems, is_number, take_apart
from .reading import AnnotationReader, View

IMAGE_NAME = re.compile(r"img_(\d+)\.\w+")
STRETCH = 0.05
"""By how much the ratio of an image's sides may differ from that of the frame's: small images are rounded to pixels."""


@dataclass
class _Document:
    """A COCO file: images in order of name, annotations by image, category names by id."""

    images: list[dict[str, Any]]
    annotations: dict[Any, list[dict[str, Any]]]
    categories: dict[Any, str]
    split: str | None


@dataclass
class _VideoPlace:
    """Where the frames of one video lie, what is known of the video, and how many images have each number."""

    folder: Path
    files: dict[int, Path]
    num_frames: int
    size: tuple[int, int]
    images: Counter[int] = field(default_factory=Counter)

    def file(self, number: int) -> Path:
        return self.files.get(number, self.folder / frame_name(number))


def import_coco(file: Path, root: Path, *, progress: bool = True) -> ProblemLog:
    """Write what a COCO file says to the annotations of the frames that it has; no other file is touched.

    The file is one that :func:`export_coco` wrote, as it is or after CVAT or FiftyOne. Boxes, categories, states,
    persons and numbers that were changed, and annotations that were added or deleted, come through; what was not
    changed comes back as it was. A frame that comes out as it is in ``root`` is not written.

    Args:
        file: The COCO file.
        root: A data set in the official layout.
        progress: Whether to show a bar, with the number of frames that were changed.

    Returns:
        What could not be imported: frames that are not in ``root``, categories and states that are not in its lists,
        parts without a state or a person. A change that cannot be made leaves its box as it was.

    Raises:
        InputError: If the file is not a COCO file, a list of ``root`` is missing, or an annotation cannot be written.
    """
    document = _read(file)
    importer = _Importer(file, root, document)
    with tqdm(total=len(document.images), desc="import", unit="frame", disable=not progress) as bar:
        for _, images in groupby(document.images, key=_video_of):
            importer.import_video(list(images), bar)
    return importer.problems


class _Importer:
    """Imports the images of one video after another."""

    def __init__(self, file: Path, root: Path, document: _Document) -> None:
        self.path, self.root, self.document = file, root, document
        self.problems = ProblemLog()
        self.reader = AnnotationReader(Taxonomy.from_root(root), root, document.categories)
        self.splits = sorted(SPLITS, key=lambda split: split != document.split)
        present = [split for split in self.splits if videos_folder(root, split).is_dir()]
        self.videos: dict[tuple[str, str, str], Path] = {}
        for split in present:
            for path in video_paths(root, split):
                self.videos.setdefault((split, path.parent.name, path.stem), path)
        self.changed = 0
        known = {image["id"] for image in document.images}
        for image, group in document.annotations.items():
            if image not in known:
                told = f"{len(group)} annotations are of image {image!r}, which is not there: correct image_id"
                self.problems.add("annotation", file, told)

    def import_video(self, images: list[dict[str, Any]], bar: tqdm) -> None:
        """Import the images of one video."""
        place = self._place(*_video_of(images[0]))
        if isinstance(place, str):
            more = f", as {len(images) - 1} more images of it" if len(images) > 1 else ""
            self.problems.add("video", self.path, f"{images[0]['file_name']}{more}: {place}")
            bar.update(len(images))
            return
        place.images.update(map(_number, images))
        for image in images:
            # Taken out, so that what is done makes room.
            annotations = self.document.annotations.pop(image["id"], [])
            self.changed += self._import_image(image, annotations, place)
            bar.set_postfix(changed=self.changed, refresh=False)
            bar.update()

    def _place(self, action: str, name: str) -> _VideoPlace | str:
        """Where a video's frames lie, or why its images cannot be imported."""
        remedy = "images are named <action>/<video>/img_00001.jpg after a video of the data set"
        if not action:
            return f"its name has no action and video: {remedy}"
        split = next((split for split in self.splits if (split, action, name) in self.videos), None)
        if split is None:
            return f"{self.root} has no video {action}/{name}: {remedy}"
        try:
            video = open_video(self.videos[split, action, name])
        except InputError as error:
            return str(error)
        folder = annotation_folder(self.root, split, action, name)
        return _VideoPlace(folder, frame_files(folder), video.num_frames, video.size)

    def _import_image(self, image: dict[str, Any], annotations: list[dict[str, Any]], place: _VideoPlace) -> bool:
        """Whether the frame's file was written."""
        name = image["file_name"]
        number = _number(image)
        fault = self._fault(image, number, place)
        if fault:
            self.problems.add("frame", self.path, f"{name}: {fault}")
            return False
        file = place.file(number)
        content, base = self._read_frame(file)
        if base is None and (file.exists() or not (annotations or "original" in image)):
            return False
        frame = base or FrameItems(_original_rest(image))

        def tell(skipped: str, message: str) -> None:
            self.problems.add(skipped, self.path, f"{name}: {message}")

        items = self.reader.read(annotations, base, _view(image, place), tell)
        assembled = assemble(frame, items, tell)
        if base is not None and assembled == content:
            return False
        with writing_told(file), atomic_write(file) as partial:
            partial.write_text(json.dumps(assembled), encoding="utf-8")
        return True

    def _fault(self, image: dict[str, Any], number: int, place: _VideoPlace) -> str:
        if not number:
            return "is not named as a frame: images are named img_00001.jpg and so on"
        if place.images[number] > 1:
            return "is in the file more than once: keep one"
        if number > place.num_frames and number not in place.files:
            return f"the video has {place.num_frames} frames: correct the name"
        if not all(is_number(image.get(side)) and image[side] > 0 for side in ("width", "height")):
            return "has no width and height: export the file again"
        across, down = _view(image, place).scale
        if abs(across / down - 1) > STRETCH:
            height, width = place.size
            told = f"is {image['width']}x{image['height']} but the video's frames are {width}x{height}"
            return (
                f"{told}: it is of another video, or was stretched; use frames as `prepare_data.py frames` makes them"
            )
        return ""

    def _read_frame(self, file: Path) -> tuple[Any, FrameItems | None]:
        if not file.is_file():
            return None, None
        try:
            content = json.loads(file.read_bytes())
            return content, take_apart(content)
        except (ValueError, OSError, RecursionError) as error:
            self.problems.add("frame", file, f"cannot be read ({error}): restore or remove it, and import again")
            return None, None


def _view(image: dict[str, Any], place: _VideoPlace) -> View:
    return View((image["width"] / place.size[1], image["height"] / place.size[0]), place.size)


def _original_rest(image: dict[str, Any]) -> dict[str, Any]:
    """What the image tells of its frame besides persons and objects."""
    try:
        return take_apart(json.loads(image["original"])).rest
    except (KeyError, ValueError, TypeError, RecursionError):
        return {"humans": [], "objects": []}


def _number(image: dict[str, Any]) -> int:
    """A frame's number by the name of its image; 0 where it has none."""
    match = IMAGE_NAME.fullmatch(PurePosixPath(image["file_name"]).name)
    return int(match[1]) if match else 0


def _video_of(image: dict[str, Any]) -> tuple[str, str]:
    """Action and video of an image; empty where its name has none."""
    parts = PurePosixPath(image["file_name"]).parts
    return (parts[-3], parts[-2]) if len(parts) >= 3 else ("", "")


def _read(file: Path) -> _Document:
    if file.is_dir():
        inside = "annotations/instances_default.json where CVAT wrote it"
        raise InputError(f"{file} is a folder: give the COCO file in it, {inside}")
    if not file.is_file():
        raise InputError(f"{file} is missing: check the path")
    if zipfile.is_zipfile(file):
        raise InputError(
            f"{file} is a ZIP archive: unpack it and give the file annotations/instances_default.json in it"
        )
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON ({error}): export it again, in CVAT as COCO 1.0") from error
    lists: dict[str, Any] = {key: content.get(key) if isinstance(content, dict) else None for key in _KEYS}
    missing = [key for key, entries in lists.items() if not isinstance(entries, list)]
    if missing:
        raise InputError(f"{file} has no list of {', '.join(missing)}: export it again, in CVAT as COCO 1.0")
    images = [_image(file, image) for image in lists["images"]]
    if len({image["id"] for image in images}) < len(images):
        raise InputError(f"{file} has two images of one id: export it again")
    annotations: dict[Any, list[dict[str, Any]]] = {}
    for annotation in _dicts(file, "annotations", lists["annotations"]):
        annotations.setdefault(_id(annotation.get("image_id")), []).append(annotation)
    categories = {
        _id(entry.get("id")): str(entry.get("name", "")) for entry in _dicts(file, "categories", lists["categories"])
    }
    info = content.get("info")
    split = info.get("tps_split") if isinstance(info, dict) else None
    return _Document(sorted(images, key=_image_order), annotations, categories, split)


_KEYS = ("images", "annotations", "categories")


def _dicts(file: Path, key: str, entries: list[Any]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise InputError(f"{file} has {str(entry)[:40]!r} among its {key}: correct it, or export it again")
        yield entry


def _image(file: Path, image: Any) -> dict[str, Any]:
    sound = isinstance(image, dict) and isinstance(image.get("file_name"), str) and _id(image.get("id")) is not None
    if not sound:
        raise InputError(f"{file} has an image without id or file_name: correct it, or export it again")
    image["file_name"] = image["file_name"].replace("\\", "/")
    return image


def _id(value: Any) -> int | str | None:
    return value if isinstance(value, (int, str)) else None


def _image_order(image: dict[str, Any]) -> tuple[tuple[str, str], str]:
    return _video_of(image), image["file_name"]
