"""Drawing what a network is given: one sample as the transforms of a config have left it.

Only the order of the axes is undone; a crop, a flip or a colour that looks wrong here is wrong for the network.

Shapes: H, W pixels of a sample; P persons; K parts; h, w cells of a mask; M clips of T images. Boxes are
``xyxy`` in pixels of the sample; colours are RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..structures import is_present
from ..taxonomy import Taxonomy
from .canvas import Canvas, Rect
from .overlay import UNWRITTEN_STATES, draw_label, draw_legend, draw_skeleton, frame_strip
from .palette import GREY, INK, OBJECT, WHITE, Colour, display_name, is_dashed, part_colours

Encode = Callable[[Tensor], Tensor]
"""Part boxes (N, K, 4) to the masks (N, K, h, w) that a network learns."""

SHORT_SIDE = 384
CLIP_SIDE = 128
CLIP_COLUMNS = 8
MAX_CLIP_IMAGES = 64
FONT_SIZE = 15
MASK_OPACITY = 0.75
FILL_OPACITY = 0.4
NOT_ANNOTATED = "-"


def draw_sample(
    sample: dict[str, Any], taxonomy: Taxonomy, *, encode: Encode | None = None, classes: Sequence[str] = ()
) -> np.ndarray:
    """Draw a sample with its labels under a caption.

    A frame has its persons' boxes. With boxes of parts and of objects it stands beside itself under the parts'
    colours: right parts are dashed, objects named; where it is known, relevant parts are filled and states named.
    A person's crop stands beside the crop with keypoints, or with part boxes, the masks that ``encode`` makes of
    these, and each part's state. A clip is a contact sheet.

    Args:
        sample: ``inputs`` and ``data_samples`` as the pipeline of a training config gives them: an image (3, H, W),
            clips (M, 3, T, H, W) or images (T, 3, H, W), in RGB.
        taxonomy: The names that ids stand for.
        encode: What the network's codec makes of part boxes.
        classes: Those of a detector's data set; where they are the taxonomy's parts and objects, boxes are of these.

    Returns:
        (H', W', 3) uint8 RGB.

    Raises:
        InputError: If the sample is not pictures.
    """
    inputs, labels = sample["inputs"], sample["data_samples"]
    shape = tuple(inputs.shape) if isinstance(inputs, Tensor) else ()
    if len(shape) == 5 and shape[1] == 3:
        return _draw_clips(_images(inputs.movedim(1, -1)), labels, taxonomy)
    if len(shape) == 4 and shape[1] == 3:
        return _draw_clips(_images(inputs.movedim(1, -1))[None], labels, taxonomy)
    if len(shape) == 3 and shape[0] == 3:
        image = _images(inputs.movedim(0, -1))
        if "part_boxes" in labels and labels.part_boxes.ndim == 3:
            return _draw_frame_parts(image, labels, taxonomy)
        if "part_boxes" in labels:
            return _draw_part(image, labels, taxonomy, encode=encode)
        if "keypoints" in labels.get("gt_instances", ()):
            return _draw_pose(image, labels)
        if len(classes) > 1 and len(classes) == len(taxonomy.parts) + len(taxonomy.objects):
            return _draw_parts_and_objects(image, labels, taxonomy, classes=classes)
        return _draw_persons(image, labels, taxonomy)
    told = f"of shape {shape}" if shape else f"a {type(inputs).__name__}"
    raise InputError(f"the samples' inputs are {told} and not pictures: there is nothing to draw")


def index_sheet(
    pictures: Sequence[np.ndarray], names: Sequence[str], *, columns: int = 3, width: int = 560
) -> np.ndarray:
    """Small copies of pictures, each under its name, in rows of ``columns`` that are ``width`` pixels wide each.

    Raises:
        ValueError: If there are no pictures.
    """
    cells = []
    for picture, name in zip(pictures, names):
        head = _caption(width, [name])
        cells.append(_joined([head, _fitted(picture, width)], axis=0))
    return frame_strip(cells, columns, gap=8)


def _images(images: Tensor) -> np.ndarray:
    """Pixels as they can be shown; transforms of colour leave floats that may lie beyond 0 to 255."""
    return np.ascontiguousarray(images.clamp(0, 255).round().to(torch.uint8).numpy())


def _draw_persons(image: np.ndarray, labels: Any, taxonomy: Taxonomy) -> np.ndarray:
    boxes = _detector_boxes(labels)
    scale = max(1.0, SHORT_SIDE / min(image.shape[:2]))
    canvas = _canvas(image, scale)
    for box in boxes:
        canvas.box(_rect(box, scale), WHITE)
    persons = _counted("person", len(boxes))
    return _captioned(canvas.finish(), [_action(labels, taxonomy), _place(labels, image.shape[:2], persons)])


def _detector_boxes(labels: Any) -> np.ndarray:
    """Boxes (N, 4) as mmdet packs them."""
    instances = labels.get("gt_instances")
    if instances is None or "bboxes" not in instances:
        return np.zeros((0, 4), dtype=np.float32)
    return np.asarray(getattr(instances.bboxes, "tensor", instances.bboxes), dtype=np.float32)


def _draw_parts_and_objects(
    image: np.ndarray, labels: Any, taxonomy: Taxonomy, *, classes: Sequence[str]
) -> np.ndarray:
    """A frame beside itself with the boxes that a detector of parts and objects learns, whose classes are ids."""
    scale = max(1.0, SHORT_SIDE / min(image.shape[:2]))
    canvas, boxes = _canvas(image, scale), _detector_boxes(labels)
    ids = np.asarray(labels.gt_instances.labels, dtype=np.int64) if len(boxes) else np.zeros(0, dtype=np.int64)
    of_part = ids < len(taxonomy.parts)
    _part_boxes(canvas, boxes[of_part], ids[of_part], taxonomy, scale=scale)
    _draw_objects(canvas, boxes[~of_part], [classes[i] for i in ids[~of_part]], scale=scale, written=[])
    told = f"{_counted('part', int(of_part.sum()))}, {_counted('object', int((~of_part).sum()))}"
    return _beside(image, canvas, taxonomy, scale, [_action(labels, taxonomy), _place(labels, image.shape[:2], told)])


def _draw_frame_parts(image: np.ndarray, labels: Any, taxonomy: Taxonomy) -> np.ndarray:
    """A frame beside itself with the boxes of persons, of parts and of objects; relevant parts are filled."""
    scale = max(1.0, SHORT_SIDE / min(image.shape[:2]))
    canvas, colours = _canvas(image, scale), part_colours(taxonomy)
    boxes = labels.part_boxes.numpy()
    relevance = labels.relevance.numpy() if "relevance" in labels else np.zeros(boxes.shape[:2])
    for person, part in zip(*np.nonzero(is_present(boxes))):
        if relevance[person, part] > 0:
            canvas.fill(_rect(boxes[person, part], scale), colours[part], opacity=FILL_OPACITY)
    persons, parts = np.nonzero(is_present(boxes))
    _part_boxes(canvas, boxes[persons, parts], parts, taxonomy, scale=scale)
    for box in labels.boxes.numpy():
        canvas.box(_rect(box, scale), WHITE)
    things = labels.object_boxes.numpy()
    names = [taxonomy.objects[i] for i in labels.object_labels] if "object_labels" in labels else [""] * len(things)
    written: list[Rect] = []
    if "part_states" in labels:
        ids = labels.part_states.numpy()[persons, parts]
        _draw_states(canvas, boxes[persons, parts], ids, [colours[part] for part in parts], taxonomy, scale, written)
    _draw_objects(canvas, things, names, scale=scale, written=written)
    told = f"{_counted('person', len(labels.boxes))}, {_counted('object', len(things))}"
    head = "input, part boxes (filled: relevant)" if (relevance > 0).any() else "input, part boxes"
    caption = [_action(labels, taxonomy), head, _place(labels, image.shape[:2], told)]
    return _beside(image, canvas, taxonomy, scale, caption)


def _beside(image: np.ndarray, canvas: Canvas, taxonomy: Taxonomy, scale: float, caption: Sequence[str]) -> np.ndarray:
    """A frame, and beside it what is drawn on it, under a caption and the parts' colours."""
    panes = _joined([_canvas(image, scale).image, canvas.finish()], axis=1, gap=4)
    legend = draw_legend(_canvas(panes, 1), taxonomy)
    return _captioned(_joined([legend, panes], axis=0), caption)


def _part_boxes(canvas: Canvas, boxes: np.ndarray, parts: np.ndarray, taxonomy: Taxonomy, *, scale: float) -> None:
    """Boxes (N, 4) of parts (N,) in their colours, right ones dashed."""
    colours = part_colours(taxonomy)
    for box, part in zip(boxes, parts):
        canvas.box(_rect(box, scale), colours[part], dashed=is_dashed(taxonomy.parts[part]))


def _draw_states(
    canvas: Canvas,
    boxes: np.ndarray,
    states: np.ndarray,
    colours: Sequence[Colour],
    taxonomy: Taxonomy,
    scale: float,
    written: list[Rect],
) -> None:
    """The names of states (N,) at their parts' boxes where there is room; those that say nothing are not written."""
    for box, state, colour in zip(boxes, states, colours):
        if state >= 0 and taxonomy.states[state] not in UNWRITTEN_STATES:
            draw_label(canvas, display_name(taxonomy.states[state]), _rect(box, scale), colour, written)


def _draw_objects(
    canvas: Canvas, boxes: np.ndarray, names: Sequence[str], *, scale: float, written: list[Rect]
) -> None:
    for box in boxes:
        canvas.box(_rect(box, scale), OBJECT, dashed=True)
    for box, name in zip(boxes, names):
        if name:
            draw_label(canvas, display_name(name), _rect(box, scale), OBJECT, written)


def _counted(name: str, number: int) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _draw_pose(image: np.ndarray, labels: Any) -> np.ndarray:
    """A crop as mmpose packs it, whose keypoints are still in pixels of the (maybe mirrored) frame."""
    scale = max(1.0, SHORT_SIDE / image.shape[0])
    instances = labels.gt_instances
    shrink = np.asarray(labels.input_size) / np.asarray(labels.input_scale)  # TopdownAffine's, about the box's centre
    places = (instances.keypoints[0] - labels.input_center) * shrink + np.asarray(labels.input_size) / 2
    canvas = _canvas(image, scale)
    draw_skeleton(canvas, np.column_stack([places * scale, instances.keypoints_visible[0]]))
    panes = [_canvas(image, scale).image, canvas.finish()]
    return _captioned(_joined(panes, axis=1, gap=4), ["input, keypoints", _place(labels, image.shape[:2])])


def _draw_part(image: np.ndarray, labels: Any, taxonomy: Taxonomy, *, encode: Encode | None) -> np.ndarray:
    scale = max(1.0, SHORT_SIDE / image.shape[0])
    panes = [_canvas(image, scale).image, _part_boxes_on(image, labels, taxonomy, scale=scale)]
    shown = ["input", "part boxes"]
    if encode is not None:
        masks = encode(labels.part_boxes[None].float())[0].numpy()
        panes.append(_masks_on(panes[0], masks, taxonomy))
        shown.append(f"masks of {masks.shape[1]} x {masks.shape[2]} cells")
    panes.append(_state_list(panes[0].shape[0], labels, taxonomy))
    return _captioned(_joined(panes, axis=1, gap=4), [", ".join([*shown, "states"]), _place(labels, image.shape[:2])])


def _part_boxes_on(image: np.ndarray, labels: Any, taxonomy: Taxonomy, *, scale: float) -> np.ndarray:
    canvas, boxes = _canvas(image, scale), labels.part_boxes.numpy()
    parts = np.flatnonzero(is_present(boxes))
    _part_boxes(canvas, boxes[parts], parts, taxonomy, scale=scale)
    return canvas.finish()


def _masks_on(picture: np.ndarray, masks: np.ndarray, taxonomy: Taxonomy) -> np.ndarray:
    """Masks (K, h, w) in [0, 1] as colour over a grey copy of the picture, the small ones on top."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    result = grey * 0.6
    height, width = picture.shape[:2]
    for part in np.argsort(-masks.sum(axis=(1, 2)), kind="stable"):
        # A cell stays a square: the network sees no finer.
        opacity = cv2.resize(masks[part], (width, height), interpolation=cv2.INTER_NEAREST)[..., None] * MASK_OPACITY
        result = result * (1 - opacity) + np.array(part_colours(taxonomy)[part]) * opacity
    return result.round().astype(np.uint8)


def _state_list(height: int, labels: Any, taxonomy: Taxonomy) -> np.ndarray:
    """Every part with the name of its state, as tall as the panes beside it."""
    states = labels.part_states.numpy() if "part_states" in labels else np.full(len(taxonomy.parts), -1)
    names = [display_name(name) for name in taxonomy.parts]
    told = [display_name(taxonomy.states[state]) if state >= 0 else NOT_ANNOTATED for state in states]
    step = height / max(len(names), 1)
    pen = Canvas(np.zeros((1, 1, 3), np.uint8), font_size=int(np.clip(step / 1.6, 8, FONT_SIZE)), thickness=1)
    column = 2 * pen.font_size + max(map(pen.text_width, names))
    width = column + max(map(pen.text_width, told)) + 2 * pen.font_size
    canvas = Canvas(np.full((height, width, 3), INK, np.uint8), font_size=pen.font_size, thickness=1)
    for part, colour in enumerate(part_colours(taxonomy)):
        y = round(part * step + (step - canvas.line_height) / 2)
        seen = states[part] >= 0
        if seen:
            canvas.fill((canvas.font_size // 2, y + 3, canvas.font_size * 3 // 2, y + canvas.line_height - 3), colour)
        canvas.text(2 * canvas.font_size, y, names[part], colour=GREY)
        canvas.text(column + canvas.font_size, y, told[part], colour=WHITE if seen else GREY)
    return canvas.finish()


def _draw_clips(clips: np.ndarray, labels: Any, taxonomy: Taxonomy) -> np.ndarray:
    """Clips (M, T, H, W, 3), each beginning a row."""
    num_clips, length = clips.shape[:2]
    drawn = int(np.clip(MAX_CLIP_IMAGES // length, 1, num_clips))
    places = np.unique(np.linspace(0, length - 1, min(length, MAX_CLIP_IMAGES)).round().astype(int))
    rows = []
    for clip in range(drawn):
        images = [_clip_image(clips[clip, place], _number(labels, clip * length + place)) for place in places]
        rows.append(frame_strip(images, CLIP_COLUMNS))
    told = f"{num_clips} clip{'' if num_clips == 1 else 's'} of {length}"
    if drawn < num_clips or len(places) < length:
        told += f" ({drawn} with {len(places)} images shown)"
    place = _place(labels, clips.shape[2:4], told)
    caption = [_action(labels, taxonomy), _group_states(labels, taxonomy), place]
    return _captioned(_joined(rows, axis=0, gap=16), caption)


def _clip_image(image: np.ndarray, number: str) -> np.ndarray:
    canvas = _canvas(image, CLIP_SIDE / min(image.shape[:2]))
    if number:
        width, height = canvas.text_width(number) + 6, canvas.line_height
        canvas.fill((0, 0, width, height), INK, opacity=0.72)
        canvas.text(3, 0, number, colour=WHITE)
    return canvas.finish()


def _number(labels: Any, position: int) -> str:
    """Frame number of the image at a position; further crops of the same frames follow the first."""
    numbers = np.asarray(labels.get("frame_inds", [])).ravel()
    return str(int(numbers[position % len(numbers)])) if len(numbers) else ""


def _action(labels: Any, taxonomy: Taxonomy) -> str:
    action = labels.get("action")
    if action is None and labels.get("gt_label") is not None:
        action = labels.gt_label.flatten()[0]
    return "" if action is None else display_name(taxonomy.actions[int(action)])


def _group_states(labels: Any, taxonomy: Taxonomy) -> str:
    """The state of each part group, where a clip has those as its label."""
    states = np.asarray(labels.get("states", [])).tolist()
    told = [display_name(taxonomy.states[state]) if state >= 0 else NOT_ANNOTATED for state in states]
    return ", ".join(f"{display_name(group)}: {state}" for group, state in zip(taxonomy.part_groups, told))


def _place(labels: Any, size: tuple[int, ...], told: str = "") -> str:
    """Where the sample is from, whether it was mirrored, and its size."""
    frame = labels.get("frame_index")
    flip = labels.get("flip", labels.get("flipped"))
    items = [
        str(labels.get("video") or ""),
        "" if frame is None else f"frame {frame}",
        told,
        "" if flip is None else "flipped" if flip else "not flipped",
        f"{size[0]} x {size[1]} pixels",
    ]
    return "  ·  ".join(filter(None, items))


def _captioned(picture: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    head = _caption(picture.shape[1], list(filter(None, lines)))
    return _joined([head, picture], axis=0)


def _caption(width: int, lines: Sequence[str]) -> np.ndarray:
    """A dark strip with lines of text, the first bold; as wide as the text at least."""
    pen = Canvas(np.zeros((1, 1, 3), np.uint8), font_size=FONT_SIZE, thickness=1)
    unit, step = pen.font_size // 2, pen.line_height
    needed = max(pen.text_width(line, bold=not i) for i, line in enumerate(lines)) + 2 * unit
    strip = np.full((len(lines) * step + unit, max(width, needed), 3), INK, np.uint8)
    canvas = Canvas(strip, font_size=FONT_SIZE, thickness=1)
    for i, line in enumerate(lines):
        canvas.text(unit, unit // 2 + i * step, line, colour=GREY if i else WHITE, bold=not i)
    return canvas.finish()


def _canvas(image: np.ndarray, scale: float) -> Canvas:
    if scale != 1:
        method = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = cv2.resize(image, size, interpolation=method)
    return Canvas(image, font_size=FONT_SIZE, thickness=2)


def _fitted(picture: np.ndarray, width: int) -> np.ndarray:
    """The picture no wider than ``width``."""
    return _canvas(picture, min(1.0, width / picture.shape[1])).image


def _joined(images: Sequence[np.ndarray], *, axis: int, gap: int = 0) -> np.ndarray:
    """Images above one another (axis 0) or side by side (axis 1), on white where one falls short of the others."""
    across = max(image.shape[1 - axis] for image in images)
    bands = []
    for i, image in enumerate(images):
        after = [gap * (i < len(images) - 1), across - image.shape[1 - axis]]
        rows, columns = after if axis == 0 else after[::-1]
        bands.append(np.pad(image, ((0, rows), (0, columns), (0, 0)), constant_values=255))
    return np.concatenate(bands, axis=axis)


def _rect(box: np.ndarray, scale: float) -> Rect:
    x0, y0, x1, y1 = (round(float(np.clip(value * scale, -1e4, 1e5))) for value in box)
    return x0, y0, x1, y1
