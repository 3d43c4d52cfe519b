import numpy as np

from tpsparse.datasets.synthetic.annotation import Sight, frame_annotation
from tpsparse.datasets.synthetic.raster import OVERSAMPLE, Canvas
from tpsparse.datasets.synthetic.states import PARTS

STATES = dict.fromkeys(PARTS, "none")
SIZE = (40, 60)


def put(canvas: Canvas, box: tuple[int, int, int, int], owner: int, cover: int = 0) -> None:
    """Fill a box of frame pixels, over whatever is there."""
    x0, y0, x1, y1 = (OVERSAMPLE * (canvas.margin + side) for side in box)
    canvas.owner[y0:y1, x0:x1] = owner
    canvas.cover[y0:y1, x0:x1] |= np.uint16(cover)


def annotate(boxes: dict[str, tuple], *, over: tuple | None = None) -> dict:
    """One person made of part boxes, hidden by an object's box."""
    canvas = Canvas(SIZE, np.array([0.0, 0.0, 1.0]))
    for part, box in boxes.items():
        put(canvas, box, 1 + PARTS.index(part), 1 << PARTS.index(part))
    sight = Sight.take(canvas, 1, STATES)
    assert not canvas.cover.any()
    if over is not None:
        put(canvas, over, 100)
    annotation, annotated = frame_annotation(canvas, [sight], {100: "ball"})
    assert annotated == list(range(len(annotation["humans"])))
    return annotation


def test_boxes_are_exact():
    result = annotate({"head": (10, 5, 20, 15), "left_arm": (20, 15, 25, 35)})
    (human,) = result["humans"]
    assert (human["number"], human["name"], human["box"]) == (1, "person", [10, 5, 25, 35])
    assert human["parts"] == {
        "head": {"number": 1, "box": [10, 5, 20, 15], "verb": "none", "name": "head"},
        "left_arm": {"number": 1, "box": [20, 15, 25, 35], "verb": "none", "name": "left_arm"},
    }
    assert result["objects"] == []


def test_hidden_part_is_left_out_and_person_box_stays_whole():
    boxes = {"head": (10, 5, 20, 15), "right_arm": (20, 15, 30, 35)}
    result = annotate(boxes, over=(20, 15, 30, 30))  # three quarters of the arm
    (human,) = result["humans"]
    assert list(human["parts"]) == ["head"]
    assert human["box"] == [10, 5, 30, 35]
    assert result["objects"] == [{"number": 1, "name": "ball", "box": [20, 15, 30, 30]}]


def test_head_exactly_half_in_sight_stays():
    (human,) = annotate({"head": (10, 10, 20, 20)}, over=(10, 10, 15, 20))["humans"]
    assert human["parts"]["head"]["box"] == [15, 10, 20, 20]
    # One column more and it is gone, and with it enough of the person stays to be annotated.
    (human,) = annotate({"head": (10, 10, 20, 20)}, over=(10, 10, 16, 20))["humans"]
    assert human["parts"] == {}


def test_part_mostly_outside_the_frame_is_left_out():
    (human,) = annotate({"head": (10, 5, 20, 15), "left_leg": (56, 10, 66, 20)})["humans"]
    assert list(human["parts"]) == ["head"]
    assert human["box"] == [10, 5, 59, 20]  # cut at the last column


def test_person_with_almost_nothing_in_sight_is_left_out():
    result = annotate({"head": (10, 10, 20, 20)}, over=(9, 9, 19, 21))
    assert result["humans"] == []
    assert annotate({})["humans"] == []


def test_persons_who_are_annotated_are_told_by_position():
    canvas = Canvas(SIZE, np.array([0.0, 0.0, 1.0]))
    sights = []
    for person, box in enumerate([(10, 5, 20, 15), (30, 5, 40, 15), (45, 5, 55, 15)]):
        put(canvas, box, 1 + 12 * person, 1)
        sights.append(Sight.take(canvas, 1 + 12 * person, STATES))
    put(canvas, (30, 5, 40, 15), 100)  # the second stands behind a thing
    annotation, annotated = frame_annotation(canvas, sights, {100: "ball"})
    assert annotated == [0, 2]
    assert [human["box"][0] for human in annotation["humans"]] == [10, 45]
