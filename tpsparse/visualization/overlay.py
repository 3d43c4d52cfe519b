"""Drawing a parsed frame: persons, their parts, the state of each part, objects, and the action.

Shapes: P persons, K parts, J keypoints; H, W of the given image. Rectangles on the picture are whole pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from ..structures.boxes import is_present
from ..structures.export import LEAST_STATE_SCORE, check_taxonomy, named_states, present_parts, states_above
from ..structures.keypoints import CONFIDENT
from ..structures.parse import FrameParse
from ..taxonomy import Taxonomy
from .canvas import Canvas, Rect
from .layout import place_beside, place_label
from .palette import ACCENT, GREY, INK, OBJECT, WHITE, Colour, display_name, is_dashed, part_colours

# Below this the text of a state is as large as a person.
SHORT_SIDE = 480
# A state that says nothing; written out it would bury the others.
UNWRITTEN_STATES = frozenset({"none"})
# The 19 links of COCO's person skeleton, counted from 0: nose, eyes, ears, shoulders, elbows, wrists, hips, knees and
# ankles, left before right.
COCO_LINKS = (
    *((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (7, 9)),
    *((6, 8), (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
)


@dataclass
class _Part:
    name: str
    colour: Colour
    rect: Rect | None
    states: tuple[str, ...]

    @property
    def told(self) -> str:
        """What is written of its states; nothing where there is nothing to say."""
        return " + ".join(display_name(state) for state in self.states if state not in UNWRITTEN_STATES)


@dataclass
class _Person:
    number: int
    rect: Rect
    score: float
    parts: list[_Part] = field(default_factory=list)
    keypoints: np.ndarray | None = None


# (parts, name, state) of one line of a panel.
_Line = tuple[list[_Part], str, str]


def draw_parse(
    image: np.ndarray,
    frame: FrameParse,
    taxonomy: Taxonomy,
    *,
    action: str | None = None,
    action_score: float | None = None,
    scale: float | None = None,
    min_part_score: float = 0.0,
    min_state_score: float = LEAST_STATE_SCORE,
    skeletons: bool = True,
) -> np.ndarray:
    """Draw what is known of one frame; the picture gains a legend below and, with an action, a header above.

    A person's states stand in a panel beside the person's box where there is room, otherwise at the parts. Left parts
    are light and solid, right parts dark and dashed. The state ``none`` is not written; states that a part has at once
    are joined, the most probable first. Objects are dashed in one colour, with their names and scores; a score of 1,
    that of annotation, is not written.

    Args:
        image: (H, W, 3) uint8 RGB, left as it is.
        frame: Boxes in pixels of ``image``.
        taxonomy: The names that the frame's ids stand for.
        action: What the header says.
        action_score: Its probability.
        scale: How much to enlarge; by default so that the short side has at least 480 pixels.
        min_part_score: Parts with a lower score are not drawn.
        min_state_score: Where several states of a part have a higher probability, all of them are written.
        skeletons: Whether keypoints, where known, are drawn.

    Returns:
        (H', W', 3) uint8 RGB; the size follows from the image's size, the taxonomy, and whether there is an action.

    Raises:
        ValueError: If the image is not (H, W, 3) uint8 or the scale is not positive.
        InputError: If the taxonomy has other numbers of parts or states than the frame, or fewer objects.
    """
    _check_image(image)
    check_taxonomy(frame, taxonomy)
    scale = max(1.0, SHORT_SIDE / min(image.shape[:2])) if scale is None else scale
    if not scale > 0:
        raise ValueError(f"scale is {scale}; it must be positive")
    canvas = _enlarged(image, scale)
    persons = _persons(frame, taxonomy, scale, min_part_score, min_state_score)
    objects = _objects(frame, taxonomy, scale)
    for rect, _ in objects:
        canvas.box(rect, OBJECT, dashed=True)
    for person in persons:
        _draw_boxes(canvas, person)
    for person in persons if skeletons else []:
        if person.keypoints is not None:
            draw_skeleton(canvas, person.keypoints)
    _draw_names(canvas, objects, _draw_texts(canvas, persons))
    strips = [canvas.finish(), draw_legend(canvas, taxonomy)]
    if action is not None:
        strips.insert(0, _header(canvas, action, action_score))
    return np.concatenate(strips)


def frame_strip(images: Sequence[np.ndarray], columns: int, *, gap: int = 4) -> np.ndarray:
    """Lay images out in rows of ``columns`` on white; smaller ones stand in the upper left of their cell.

    Raises:
        ValueError: If there are no images, one is not (H, W, 3) uint8, or columns is below 1.
    """
    if not images or columns < 1:
        raise ValueError(f"cannot lay out {len(images)} images in {columns} columns")
    for image in images:
        _check_image(image)
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    strip = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        strip[y : y + image.shape[0], x : x + image.shape[1]] = image
    return strip


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image is {image.dtype} {image.shape}, expected uint8 (H, W, 3)")


def _enlarged(image: np.ndarray, scale: float) -> Canvas:
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    if (height, width) != image.shape[:2]:
        method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        image = cv2.resize(image, (width, height), interpolation=method)
    short = min(height, width)
    return Canvas(image, font_size=int(np.clip(short // 32, 11, 30)), thickness=max(1, round(short / 280)))


def _persons(
    frame: FrameParse, taxonomy: Taxonomy, scale: float, min_part_score: float, min_state_score: float
) -> list[_Person]:
    states, colours = named_states(frame, taxonomy), part_colours(taxonomy)
    present = present_parts(frame)
    if frame.part_scores is not None and present.size:
        present = present & (frame.part_scores >= min_part_score)
    persons = []
    for i in np.flatnonzero(is_present(frame.boxes)):
        person = _Person(int(i) + 1, _scaled(frame.boxes[i], scale), float(frame.scores[i]))
        for k in np.flatnonzero(present[i]):
            rect = None if frame.part_boxes is None else _scaled(frame.part_boxes[i, k], scale)
            told = _states_at_once(frame, int(i), int(k), states[i][k], taxonomy, min_state_score)
            person.parts.append(_Part(taxonomy.parts[k], colours[k], rect, told))
        if frame.keypoints is not None:
            person.keypoints = frame.keypoints[i] * np.array([scale, scale, 1.0])
        persons.append(person)
    return persons


def _states_at_once(
    frame: FrameParse, person: int, part: int, state: str | None, taxonomy: Taxonomy, min_state_score: float
) -> tuple[str, ...]:
    """The most probable state, and where several are more probable than the threshold, all of these."""
    if state is None:
        return ()
    if frame.part_states is not None or frame.state_scores is None:
        return (state,)
    found = states_above(frame.state_scores[person, part], min_state_score)
    return tuple(taxonomy.states[i] for i in found) if len(found) > 1 else (state,)


def _objects(frame: FrameParse, taxonomy: Taxonomy, scale: float) -> list[tuple[Rect, str]]:
    if frame.objects is None:
        return []
    found = zip(frame.objects.boxes, frame.objects.labels, frame.objects.scores)
    return [(_scaled(box, scale), _object_text(taxonomy.objects[label], score)) for box, label, score in found]


def _object_text(name: str, score: float) -> str:
    known = np.isfinite(score) and score != 1
    return f"{display_name(name)} {score:.2f}" if known else display_name(name)


def _scaled(box: np.ndarray, scale: float) -> Rect:
    # The limit keeps a wild box within what OpenCV can draw.
    x0, y0, x1, y1 = (round(float(np.clip(value * scale, -1e4, 1e5))) for value in box)
    return x0, y0, x1, y1


def _draw_boxes(canvas: Canvas, person: _Person) -> None:
    canvas.box(person.rect, WHITE)
    for part in sorted(person.parts, key=lambda part: -_area(part.rect)):  # small ones on top of large ones
        if part.rect is not None:
            canvas.fill(part.rect, part.colour, opacity=0.15)
            canvas.box(part.rect, part.colour, dashed=is_dashed(part.name))


def _area(rect: Rect | None) -> int:
    return 0 if rect is None else (rect[2] - rect[0]) * (rect[3] - rect[1])


def draw_skeleton(canvas: Canvas, keypoints: np.ndarray) -> None:
    """Draw the confident keypoints of a person (J, 3), in pixels of the canvas, with COCO's links between them."""
    seen = np.isfinite(keypoints).all(axis=1) & (keypoints[:, 2] >= CONFIDENT)
    points = [tuple(np.clip(point, -1e4, 1e5).round().astype(int).tolist()) for point in keypoints[seen, :2]]
    where = dict(zip(np.flatnonzero(seen).tolist(), points))
    if len(seen) == 17:  # other skeletons have links that are not known here
        for start, end in COCO_LINKS:
            if start in where and end in where:
                canvas.line(where[start], where[end], WHITE)
    for point in points:
        canvas.dot(point, ACCENT)


def _draw_texts(canvas: Canvas, persons: list[_Person]) -> list[Rect]:
    """Tags first, for they cannot move; then panels; then labels of the persons for whom no panel found room.

    Returns:
        Where something is written now.
    """
    taken = [_draw_tag(canvas, person) for person in persons]
    labels = list(taken)
    for person in persons:
        lines = _state_lines(person)
        if not lines:
            continue
        others = [other.rect for other in persons if other is not person]
        heading = f"person {person.number}" if len(persons) > 1 else ""
        rect = place_beside(_panel_size(canvas, lines, heading), person.rect, [*others, *taken], canvas.size)
        if rect is None:
            _draw_labels(canvas, person, labels)
        else:
            _draw_panel(canvas, rect, lines, heading)
            taken.append(rect)
            labels.append(rect)
    return labels


def _draw_tag(canvas: Canvas, person: _Person) -> Rect:
    text = f"{person.number}" if np.isnan(person.score) else f"{person.number}  {person.score:.2f}"
    height, width = canvas.line_height, canvas.text_width(text, bold=True) + canvas.font_size // 2
    x = min(max(person.rect[0], 0), canvas.size[1] - width)
    y = min(max(person.rect[1] - height, 0), canvas.size[0] - height)
    rect = (x, y, x + width, y + height)
    canvas.fill(rect, WHITE, opacity=0.9)
    canvas.text(x + canvas.font_size // 4, y, text, colour=INK, bold=True)
    return rect


def _state_lines(person: _Person) -> list[_Line]:
    """What a panel says; left and right in the same state share a line."""
    lines: list[_Line] = []
    for part in person.parts:
        if not part.told:
            continue
        side, _, name = display_name(part.name).partition(" ")
        last = lines[-1] if lines else None
        if side == "R" and last and last[1] == f"L {name}" and last[2] == part.told:
            lines[-1] = ([*last[0], part], f"L+R {name}", last[2])
        else:
            lines.append(([part], display_name(part.name), part.told))
    return lines


def _panel_size(canvas: Canvas, lines: list[_Line], heading: str) -> tuple[int, int]:
    rows = len(lines) + bool(heading)
    states = max(canvas.text_width(state) for *_, state in lines)
    width = max(_name_width(canvas, lines) + states + canvas.font_size // 2, canvas.text_width(heading, bold=True))
    return rows * canvas.line_height + canvas.font_size // 2, width + canvas.font_size


def _name_width(canvas: Canvas, lines: list[_Line]) -> int:
    """Width of the column of swatches and names."""
    return 2 * canvas.font_size + max(canvas.text_width(name) for _, name, _ in lines)


def _draw_panel(canvas: Canvas, rect: Rect, lines: list[_Line], heading: str) -> None:
    canvas.fill(rect, INK, opacity=0.72)
    unit, step = canvas.font_size, canvas.line_height
    x, y = rect[0] + unit // 2, rect[1] + unit // 4
    if heading:
        canvas.text(x, y, heading, colour=WHITE, bold=True)
        y += step
    for parts, name, state in lines:
        _draw_swatch(canvas, (x, y + step // 4, x + unit, y + step - step // 4), parts)
        canvas.text(x + unit + unit // 2, y, name, colour=GREY)
        canvas.text(x + _name_width(canvas, lines) + unit // 4, y, state, colour=WHITE)
        y += step


def _draw_swatch(canvas: Canvas, rect: Rect, parts: list[_Part]) -> None:
    x0, y0, x1, y1 = rect
    width = (x1 - x0) // len(parts)
    for i, part in enumerate(parts):
        canvas.fill((x0 + i * width, y0, x0 + (i + 1) * width, y1), part.colour)


def _draw_labels(canvas: Canvas, person: _Person, labels: list[Rect]) -> None:
    for part in person.parts:
        if part.told and part.rect is not None:
            draw_label(canvas, part.told, part.rect, part.colour, labels)


def _draw_names(canvas: Canvas, objects: list[tuple[Rect, str]], labels: list[Rect]) -> None:
    for rect, text in objects:
        draw_label(canvas, text, rect, OBJECT, labels)


def draw_label(canvas: Canvas, text: str, at: Rect, colour: Colour, labels: list[Rect]) -> None:
    """Write at a box where nothing of ``labels`` is, and add to them; nowhere if there is no such place."""
    size = (canvas.line_height, canvas.text_width(text) + canvas.font_size // 2)
    rect = place_label(size, at, labels, canvas.size)
    if rect is not None:
        canvas.fill(rect, INK, opacity=0.72)
        canvas.text(rect[0] + canvas.font_size // 4, rect[1], text, colour=colour)
        labels.append(rect)


def _strip(canvas: Canvas, height: int) -> Canvas:
    """An empty dark canvas as wide as the picture."""
    empty = np.full((height, canvas.size[1], 3), INK, dtype=np.uint8)
    return Canvas(empty, font_size=canvas.font_size, thickness=canvas.thickness)


def _header(canvas: Canvas, action: str, score: float | None) -> np.ndarray:
    """Action at the left, its probability at the right and as a bar along the bottom."""
    unit, step = canvas.font_size, canvas.line_height
    strip = _strip(canvas, 2 * step)
    known = score is not None and not np.isnan(score)
    number = f"{score:.0%}" if known else ""
    room = canvas.size[1] - 3 * unit - canvas.text_width(number, bold=True)
    strip.text(unit, step // 2, _shortened(canvas, display_name(action), room), colour=WHITE, bold=True)
    if score is not None and known:
        strip.text(
            canvas.size[1] - unit - canvas.text_width(number, bold=True), step // 2, number, colour=ACCENT, bold=True
        )
        top = 2 * step - max(2, step // 6)
        strip.fill((0, top, round(canvas.size[1] * score), 2 * step), ACCENT)
    return strip.finish()


def _shortened(canvas: Canvas, text: str, room: int) -> str:
    if canvas.text_width(text, bold=True) <= room:
        return text
    while text and canvas.text_width(text + "…", bold=True) > room:
        text = text[:-1]
    return text + "…"


def draw_legend(canvas: Canvas, taxonomy: Taxonomy) -> np.ndarray:
    """The part groups with their boxes, left before right, in as many rows as the width asks for."""
    unit, step, colours = canvas.font_size, canvas.line_height, part_colours(taxonomy)
    pitch, x, row = step + unit // 3, unit, 0
    spots = []
    for group, members in taxonomy.part_groups.items():
        name = display_name(group) + (" L, R" if len(members) > 1 else "")
        width = len(members) * 2 * unit + canvas.text_width(name) + unit
        if x > unit and x + width - unit > canvas.size[1]:
            x, row = unit, row + 1
        spots.append(
            (x, unit // 2 + row * pitch, name, sorted(members, key=lambda part: is_dashed(taxonomy.parts[part])))
        )
        x += width
    strip = _strip(canvas, (row + 1) * pitch + unit)
    for x, y, name, members in spots:
        for part in members:
            strip.box(
                (x, y + step // 5, x + 3 * unit // 2, y + step - step // 5),
                colours[part],
                dashed=is_dashed(taxonomy.parts[part]),
            )
            x += 2 * unit
        strip.text(x, y, name, colour=WHITE)
    return strip.finish()
