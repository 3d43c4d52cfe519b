from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.structures import FrameObjects, FrameParse
from tpsparse.taxonomy import Taxonomy
from tpsparse.visualization import draw_parse, frame_strip
from tpsparse.visualization.overlay import _objects, _persons, _state_lines
from tpsparse.visualization.palette import OBJECT, WHITE, part_colours

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "kinetics-tps-real"
TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "step_on"),
    actions=("hurling_(sport)", "snatch_weight_lifting"),
)
NAN_BOX = [np.nan] * 4


def grey(height: int = 480, width: int = 640) -> np.ndarray:
    return np.full((height, width, 3), 90, dtype=np.uint8)


def one_person(**changes) -> FrameParse:
    given = {
        "boxes": [[200, 100, 300, 400]],
        "part_boxes": np.array([[[230, 110, 270, 150], [220, 160, 240, 250], [260, 160, 290, 250]]], np.float32),
        "part_states": np.array([[0, 1, 2]]),
        **changes,
    }
    return FrameParse(1, **given)


def drawn_part(picture: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The picture without its legend; there is no header."""
    return picture[: image.shape[0]]


def test_result_is_a_new_uint8_picture_with_a_legend():
    image = grey()
    before = image.copy()
    picture = draw_parse(image, one_person(), TAXONOMY)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (640, 3)
    assert picture.shape[0] > 480
    np.testing.assert_array_equal(image, before)
    assert not np.shares_memory(picture, image)


def test_size_depends_on_image_taxonomy_and_header_alone():
    with_one = draw_parse(grey(), one_person(), TAXONOMY, action="snatch_weight_lifting", action_score=0.5)
    with_none = draw_parse(grey(), FrameParse(1, []), TAXONOMY, action="hurling_(sport)")
    assert with_one.shape == with_none.shape
    assert draw_parse(grey(), one_person(), TAXONOMY).shape[0] < with_one.shape[0]


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        ((144, 192), None, (480, 640)),
        ((480, 640), None, (480, 640)),
        ((500, 700), None, (500, 700)),
        ((100, 50), 2, (200, 100)),
        ((100, 200), 0.5, (50, 100)),
    ],
)
def test_scale_of_the_picture(size, scale, expected):
    plain = draw_parse(grey(*size), FrameParse(1, []), TAXONOMY, scale=scale)
    assert plain.shape[1] == expected[1]
    body = plain[: expected[0]]
    assert (body == 90).all()
    assert (plain[expected[0]] != 90).any()  # the legend begins right below


def test_boxes_are_where_they_belong_when_enlarged():
    # 200 x 200 enlarged 2.4 times: the box from (50, 75) to (150, 175) has corners at (120, 180) and (360, 420).
    picture = draw_parse(grey(200, 200), FrameParse(1, [[50, 75, 150, 175]]), TAXONOMY)
    white = (picture[:480] == WHITE).all(axis=2)
    assert white[300, 120] and white[300, 360] and white[180, 340] and white[420, 240]
    assert not white[300, 240] and not white[300, 100]


def test_part_outlines_have_their_colours_and_right_ones_are_dashed():
    frame = one_person(part_states=None)
    picture = draw_parse(grey(), frame, TAXONOMY)
    shares = []
    for (x0, y0, _, y1), colour in zip(frame.part_boxes[0].astype(int), part_colours(TAXONOMY)):
        edge = picture[y0 + 3 : y1 - 3, x0]
        shares.append((edge == colour).all(axis=1).mean())
    assert shares[0] == shares[1] == 1
    assert 0.3 < shares[2] < 0.9


def test_no_persons_leaves_the_frame_as_it_is():
    image = grey()
    np.testing.assert_array_equal(drawn_part(draw_parse(image, FrameParse(1, []), TAXONOMY), image), image)


def test_absent_parts_and_persons_leave_no_trace():
    image = grey()
    nothing = FrameParse(1, [NAN_BOX], part_boxes=np.full((1, 3, 4), np.nan, np.float32))
    np.testing.assert_array_equal(drawn_part(draw_parse(image, nothing, TAXONOMY), image), image)
    bare = draw_parse(image, FrameParse(1, [[200, 100, 300, 400]]), TAXONOMY)
    absent = one_person(part_boxes=np.full((1, 3, 4), np.nan, np.float32))
    np.testing.assert_array_equal(draw_parse(image, absent, TAXONOMY), bare)


def test_parts_below_the_score_are_not_drawn():
    scores = np.array([[0.5, 0.5, 0.5]])
    bare = draw_parse(grey(), FrameParse(1, [[200, 100, 300, 400]]), TAXONOMY)
    kept = draw_parse(grey(), one_person(part_scores=scores), TAXONOMY, min_part_score=0.5)
    gone = draw_parse(grey(), one_person(part_scores=scores), TAXONOMY, min_part_score=0.51)
    np.testing.assert_array_equal(gone, bare)
    assert (kept != bare).any()


def test_panel_stands_beside_the_person_only_when_there_is_something_to_say():
    def beside(states):
        return drawn_part(draw_parse(grey(), one_person(part_states=np.array([states])), TAXONOMY), grey())[:, 310:]

    assert (beside([0, 0, 0]) == 90).all()
    assert (beside([-1, -1, -1]) == 90).all()
    assert (beside([0, 1, 0]) != 90).any()


def lines(frame: FrameParse, min_state_score: float = 0.5) -> list[tuple[str, str]]:
    [person] = _persons(frame, TAXONOMY, 1.0, 0.0, min_state_score)
    return [(name, state) for _, name, state in _state_lines(person)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([0, 1, 2], [("L arm", "bend"), ("R arm", "step on")]),
        ([0, 1, 1], [("L+R arm", "bend")]),
        ([2, 0, 1], [("head", "step on"), ("R arm", "bend")]),
        ([0, -1, 1], [("R arm", "bend")]),
        ([0, 0, 0], []),
    ],
)
def test_lines_of_a_panel(states, expected):
    assert lines(one_person(part_states=np.array([states]))) == expected


def test_state_of_an_absent_part_is_not_written():
    frame = one_person(part_states=np.array([[0, 1, 2]]))
    frame.part_boxes[0, 2] = np.nan
    assert lines(frame) == [("L arm", "bend")]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[1, 0, 0], [0.1, 0.6, 0.2], [0, 0, 0.3]], [("L arm", "bend"), ("R arm", "step on")]),
        ([[1, 0, 0], [0, 0.6, 0.9], [0, 0.9, 0.6]], [("L arm", "step on + bend"), ("R arm", "bend + step on")]),
        ([[1, 0, 0], [0, 0.9, 0.6], [0, 0.8, 0.7]], [("L+R arm", "bend + step on")]),
        ([[0, 0.5, 0.5], [1, 0, 0], [1, 0, 0]], [("head", "bend")]),  # exactly at the threshold
        ([[0.9, 0.6, 0], [0, 0, 0.9], [0.6, 0.1, 0]], [("head", "bend"), ("L arm", "step on")]),  # none is not written
    ],
)
def test_lines_of_several_states_at_once(scores, expected):
    assert lines(one_person(part_states=None, state_scores=np.array([scores]))) == expected


def test_lines_by_the_threshold_and_of_given_states():
    scores = np.array([[[1, 0, 0], [0, 0.9, 0.6], [1, 0, 0]]])
    frame = one_person(part_states=None, state_scores=scores)
    assert lines(frame, 0.6) == [("L arm", "bend")] and lines(frame, 0.59) == [("L arm", "bend + step on")]
    assert lines(one_person(part_states=np.array([[0, 2, 0]]), state_scores=scores)) == [("L arm", "step on")]


def test_threshold_of_states_reaches_the_picture():
    frame = one_person(part_states=None, state_scores=np.array([[[1, 0, 0], [0, 0.9, 0.6], [1, 0, 0]]]))
    one, both = (draw_parse(grey(), frame, TAXONOMY, min_state_score=least) for least in (0.6, 0.5))
    given = draw_parse(grey(), one_person(part_states=np.array([[0, 1, 0]])), TAXONOMY)
    assert (one == given).all() and (both != one).any()


def test_states_are_written_at_the_parts_when_the_person_fills_the_frame():
    full = {"boxes": [[0, 0, 640, 480]]}
    said = draw_parse(grey(), one_person(**full), TAXONOMY)
    silent = draw_parse(grey(), one_person(**full, part_states=np.zeros((1, 3), int)), TAXONOMY)
    changed = (said != silent).any(axis=2)
    assert changed[130:160].any()  # the labels stand right above the arms' boxes
    assert not changed[300:].any()


def test_keypoints_below_the_score_and_nan_are_not_drawn():
    keypoints = np.full((1, 17, 3), [150.0, 250.0, 0.2])
    keypoints[0, 3] = [np.nan, np.nan, 1.0]
    image = grey()
    bare = draw_parse(image, FrameParse(1, [[200, 100, 300, 400]]), TAXONOMY)
    np.testing.assert_array_equal(
        draw_parse(image, FrameParse(1, [[200, 100, 300, 400]], keypoints=keypoints), TAXONOMY), bare
    )
    keypoints[0, 5], keypoints[0, 7] = [100, 250, 0.3], [180, 250, 0.9]  # left shoulder and elbow are linked
    seen = draw_parse(image, FrameParse(1, [[200, 100, 300, 400]], keypoints=keypoints), TAXONOMY)
    assert (seen[250, 140] > 200).all()  # smoothed white on grey
    without = draw_parse(image, FrameParse(1, [[200, 100, 300, 400]], keypoints=keypoints), TAXONOMY, skeletons=False)
    np.testing.assert_array_equal(without, bare)


def test_other_skeletons_get_points_and_no_links():
    keypoints = np.full((1, 21, 3), 0.0)
    keypoints[0, 5], keypoints[0, 7] = [100, 250, 0.9], [180, 250, 0.9]
    picture = draw_parse(grey(), FrameParse(1, [[200, 100, 300, 400]], keypoints=keypoints), TAXONOMY)
    assert (picture[250, 140] == 90).all()
    assert (picture[250, 100] != 90).any() and (picture[250, 180] != 90).any()


@pytest.mark.parametrize("action", ["hurling_(sport)", "x", "very_long_" * 40, ""])
@pytest.mark.parametrize("score", [None, 0.0, 1.0, np.nan])
def test_any_header_fits_the_width(action, score):
    picture = draw_parse(grey(), FrameParse(1, []), TAXONOMY, action=action, action_score=score)
    assert picture.shape[1] == 640


def test_header_bar_is_as_long_as_the_probability():
    picture = draw_parse(grey(), FrameParse(1, []), TAXONOMY, action="x", action_score=0.25)
    header = np.flatnonzero((picture[:, 639] == 90).all(axis=1))[0]
    bar = (picture[header - 1] != picture[header - 1, 639]).any(axis=1)
    assert bar.sum() == 160 and bar[:160].all()


@pytest.mark.parametrize("box", [[-1e9, -1e9, 1e9, 1e9], [1e12, 0, 2e12, 9], [300, 300, 200, 200], [5, 5, 5, 5]])
def test_wild_boxes_do_not_break_the_picture(box):
    draw_parse(grey(), one_person(boxes=[box], part_boxes=np.full((1, 3, 4), box, np.float32)), TAXONOMY)


def test_tiny_and_crowded_frames_are_drawn():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 30, (12, 2))
    boxes = np.concatenate([low, low + 20], axis=1)
    frame = FrameParse(
        1, boxes, part_boxes=np.repeat(boxes[:, None], 3, axis=1), part_states=rng.integers(0, 3, (12, 3))
    )
    assert draw_parse(grey(48, 64), frame, TAXONOMY).shape[1] == 640
    assert draw_parse(grey(48, 64), frame, TAXONOMY, scale=1).shape[1] == 64


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_other_images_are_refused(image):
    with pytest.raises(ValueError, match="expected uint8"):
        draw_parse(image, FrameParse(1, []), TAXONOMY)


@pytest.mark.parametrize("scale", [0, -1, np.nan])
def test_other_scales_are_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        draw_parse(grey(), FrameParse(1, []), TAXONOMY, scale=scale)


def test_other_taxonomy_is_refused():
    with pytest.raises(InputError, match="10 parts"):
        draw_parse(grey(), FrameParse(1, [[0, 0, 1, 1]], part_boxes=np.zeros((1, 10, 4))), TAXONOMY)


def test_strip_by_hand():
    images = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    strip = frame_strip(images, 2, gap=2)
    assert strip.shape == (10, 14, 3)
    assert (strip[:4, :6] == 10).all() and (strip[:4, 8:] == 20).all() and (strip[6:, :6] == 30).all()
    assert (strip[4:6] == 255).all() and (strip[:, 6:8] == 255).all() and (strip[6:, 8:] == 255).all()


def test_strip_of_one_and_of_different_sizes():
    assert frame_strip([grey(4, 6)], 5).shape == (4, 6, 3)
    assert frame_strip([grey(4, 6), grey(9, 2)], 1, gap=0).shape == (18, 6, 3)


@pytest.mark.parametrize(("images", "columns"), [([], 2), ([grey(4, 4)], 0), ([np.zeros((4, 4), np.uint8)], 1)])
def test_impossible_strips(images, columns):
    with pytest.raises(ValueError):
        frame_strip(images, columns)


@pytest.mark.skipif(not REAL.exists(), reason="real footage of Kinetics-TPS's layout is not here")
def test_real_annotation_is_drawn():
    taxonomy = Taxonomy.from_root(REAL)
    video = sorted((REAL / "train_videos").glob("*/*.mp4"))[0]
    folder = REAL / "train_annotations" / video.parent.name / video.stem
    annotation = sorted(folder.glob("img_*.json"))[0]
    capture = cv2.VideoCapture(str(video))
    for _ in range(int(annotation.stem[-5:])):
        _, image = capture.read()
    human = json.loads(annotation.read_text())["humans"][0]
    part_boxes = np.full((1, 10, 4), np.nan, np.float32)
    states = np.full((1, 10), -1)
    for name, part in human["parts"].items():
        part_boxes[0, taxonomy.part_ids[name]] = part["box"]
        states[0, taxonomy.part_ids[name]] = taxonomy.state_ids[part["verb"]]
    frame = FrameParse(1, [human["box"]], part_boxes=part_boxes, part_states=states)
    picture = draw_parse(image, frame, taxonomy, action=video.parent.name, action_score=0.9)
    assert picture.shape[1] == round(image.shape[1] * 480 / min(image.shape[:2]))


class TestObjects:
    NAMES = Taxonomy(TAXONOMY.parts, TAXONOMY.states, TAXONOMY.actions, ("none", "ball"))

    def drawn(self, objects, size=(480, 640), boxes=()):
        return draw_parse(grey(*size), FrameParse(1, list(boxes), objects=objects), self.NAMES)

    def test_box_is_dashed_in_its_colour_and_named(self):
        picture = self.drawn(FrameObjects([[200, 200, 300, 400]], [0.9], [1]))
        edge = (picture[203:397, 200] == OBJECT).all(axis=1)
        assert 0.3 < edge.mean() < 0.9
        # The name stands above the box and nowhere else.
        changed = (picture[:480] != 90).any(axis=2)
        assert changed[170:198, 200:260].any() and not changed[:160].any() and not changed[410:].any()

    def test_box_is_where_it_belongs_when_enlarged(self):
        # 200 x 200 enlarged 2.4 times: from (50, 75) to (150, 175) is from (120, 180) to (360, 420).
        picture = self.drawn(FrameObjects([[50, 75, 150, 175]], [0.9], [0]), (200, 200))
        colour = (picture[:480] == OBJECT).all(axis=2)
        assert colour[185:415, 120].any() and colour[185:415, 360].any() and not colour[185:415, 240].any()

    @pytest.mark.parametrize("objects", [None, FrameObjects.none()])
    def test_no_objects_leave_no_trace(self, objects):
        image = grey()
        np.testing.assert_array_equal(drawn_part(self.drawn(objects), image), image)

    def test_names_keep_clear_of_each_other(self):
        # Two objects at one place: the second name goes below the box.
        picture = self.drawn(FrameObjects([[200, 200, 300, 300]] * 2, [0.9, 0.8], [1, 1]))
        changed = (picture[:480] != 90).any(axis=2)
        assert changed[170:195, 200:260].any() and changed[305:325, 200:260].any()

    @pytest.mark.parametrize(
        ("score", "text"), [(0.826, "hockey stick 0.83"), (1.0, "hockey stick"), (0.0, "hockey stick 0.00")]
    )
    def test_score_stands_behind_the_name(self, score, text):
        names = Taxonomy(TAXONOMY.parts, TAXONOMY.states, TAXONOMY.actions, ("hockey_stick",))
        frame = FrameParse(1, [], objects=FrameObjects([[10, 20, 30, 40]], [score], [0]))
        assert _objects(frame, names, 2.0) == [((20, 40, 60, 80), text)]

    def test_score_is_on_the_picture(self):
        found, annotated = (self.drawn(FrameObjects([[200, 200, 300, 400]], [score], [1])) for score in (0.9, 1.0))
        widths = [np.flatnonzero((picture[175:198] != 90).any(axis=(0, 2))).max() for picture in (found, annotated)]
        assert widths[0] > widths[1] + 15

    def test_objects_outside_the_vocabulary_are_refused(self):
        with pytest.raises(InputError, match="3 objects and the taxonomy names 2"):
            self.drawn(FrameObjects([[1, 2, 3, 4]], [1], [2]))
