"""Painted keypoints, by hand. J = 17."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.transforms import CropPerson, FlipPerson, PackPartBoxes, PaintKeypoints, paint
from tpsparse.datasets.transforms.paint import COLOURS, person_size
from tpsparse.datasets.transforms.paint import paint as draw
from tpsparse.errors import InputError
from tpsparse.structures.keypoints import CONFIDENT, FLIP_KEYPOINTS, KEYPOINTS, flip_keypoints


@pytest.fixture(autouse=True)
def seeded():
    state = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(state)


def apart(width=96, height=128):
    """Keypoints on a grid, so far apart that dots of 4 pixels do not touch."""
    x, y = np.meshgrid(np.linspace(10, width - 14, 4), np.linspace(8, height - 10, 5))
    return np.column_stack([x.ravel()[:17], y.ravel()[:17], np.full(17, 0.9)]).astype(np.float32)


def crop(keypoints, size=(128, 96)) -> dict:
    """A grey crop of a person whose box is the whole of it, one pixel of the image a pixel of the crop."""
    box = np.array([0, 0, size[1], size[0]], dtype=np.float32)
    image = np.full((*size, 3), 90, dtype=np.uint8)
    return dict(img=image, box=box, crop=box, keypoints=keypoints, flip_parts=np.array([0]), video="v (1) é")


def only(*points) -> np.ndarray:
    keypoints = np.zeros((17, 3), dtype=np.float32)
    for index, point in points:
        keypoints[index] = point
    return keypoints


def painted(image, grey=90) -> np.ndarray:
    return (image != grey).any(axis=2)


def test_colours_are_distinct_and_sides_differ():
    assert COLOURS.shape == (17, 3) and COLOURS.dtype == np.uint8
    assert len({tuple(colour) for colour in COLOURS.tolist()}) == 17
    distance = np.linalg.norm(COLOURS.astype(float) - COLOURS[FLIP_KEYPOINTS], axis=1)
    assert distance[0] == 0 and distance[1:].min() > 250  # the nose is its own twin
    # Opposite hues: a colour and its twin's make white or, between pure hues, a grey of full strength.
    np.testing.assert_array_equal(COLOURS[1] + COLOURS[2], [255, 255, 255])


def test_a_dot_by_hand():
    # The centre of pixel (20, 30) and a radius of 3: about a disc of area 9 pi.
    nose = only((0, (20.5, 30.5, 1.0)))
    image = PaintKeypoints(radius=3 / 128)(crop(nose))["img"]
    assert image[30, 20].tolist() == [255, 255, 255] and image[30, 22].tolist() == [255, 255, 255]
    rows, columns = np.nonzero(painted(image))
    assert np.abs(rows - 30).max() in (3, 4) and np.abs(columns - 20).max() in (3, 4)
    assert (image[..., 0].astype(float) - 90).sum() / 165 == pytest.approx(9 * np.pi, rel=0.15)


def test_a_dot_lies_where_the_keypoint_is():
    # Continuous coordinates: the mass of a dot about (20.25, 30.75) has its centre there.
    image = PaintKeypoints(radius=6 / 128)(crop(only((0, (20.25, 30.75, 1.0)))))["img"]
    mass = image[..., 0].astype(float) - 90
    ys, xs = np.mgrid[:128, :96] + 0.5
    assert (mass * xs).sum() / mass.sum() == pytest.approx(20.25, abs=0.1)
    assert (mass * ys).sum() / mass.sum() == pytest.approx(30.75, abs=0.1)


def test_each_keypoint_has_its_colour():
    keypoints = apart()
    image = PaintKeypoints(radius=4 / 128)(crop(keypoints))["img"]
    for keypoint, colour in zip(keypoints, COLOURS, strict=True):
        assert image[int(keypoint[1]), int(keypoint[0])].tolist() == colour.tolist()


def test_the_later_covers_the_earlier():
    image = PaintKeypoints(radius=4 / 128)(crop(only((0, (40, 40, 1)), (9, (40, 40, 1)))))["img"]
    assert image[40, 40].tolist() == COLOURS[9].tolist()


@pytest.mark.parametrize(
    ("score", "drawn"), [(0.29, False), (0.3, True), (0.31, True), (0.0, False), (np.nan, False), (1.0, True)]
)
def test_confidence(score, drawn):
    keypoints = only((0, (40, 40, 0))).astype(np.float64)
    keypoints[0, 2] = score
    image = PaintKeypoints(min_score=0.3)(crop(keypoints))["img"]
    assert painted(image).any() == drawn


def test_without_a_threshold_the_unknown_stay_unpainted():
    image = PaintKeypoints(min_score=0.0)(crop(only((0, (40, 40, 0)), (9, (60, 90, 0.01)))))["img"]
    assert not painted(image[:70]).any() and painted(image[70:]).any()


def test_default_threshold_is_the_one_constant():
    assert PaintKeypoints().min_score == CONFIDENT == 0.3


@pytest.mark.parametrize(
    ("scores", "min_score", "told"),
    [((0.0, 0.29), 0.3, False), ((0.0, 0.3), 0.3, True), ((0.0, 0.0), 0.0, False), ((0.5, 0.4), 0.6, False)],
    ids=str,
)
def test_the_sample_tells_whether_there_was_anything_to_paint(scores, min_score, told):
    keypoints = only(*((place, (40, 40, score)) for place, score in enumerate(scores))).astype(np.float64)
    keypoints[:, 2] = np.round(keypoints[:, 2], 6)
    sample = PaintKeypoints(min_score=min_score)(crop(keypoints))
    assert sample["painted"] is told
    assert PackPartBoxes()(sample)["data_samples"].metainfo["painted"] is told


def test_what_is_left_out_at_random_is_there_all_the_same():
    sample = PaintKeypoints(drop_all=1.0)(crop(apart()))
    assert sample["painted"] is True and not painted(sample["img"]).any()


def test_who_is_not_to_be_painted_tells_nothing():
    sample = crop(apart())
    assert "painted" not in PackPartBoxes()(sample)["data_samples"].metainfo


@pytest.mark.parametrize("prob", [0.0, 1.0])
@pytest.mark.parametrize("keypoints", [apart(), np.zeros((17, 3))], ids=["painted", "nobody"])
def test_the_painted_are_not_mirrored(prob, keypoints):
    sample = PaintKeypoints()(crop(keypoints))
    with pytest.raises(ValueError, match="painted already, .*: put FlipPerson before PaintKeypoints"):
        FlipPerson(prob=prob)(sample)


@pytest.mark.parametrize(
    ("point", "drawn"),
    [
        ((-1, 40), True),  # reaches in
        ((-3.1, 40), False),
        ((96, 128), True),
        ((1e12, 40), False),
        ((-1e12, 1e300), False),
        ((np.nan, 40), False),
        ((40, np.inf), False),
    ],
    ids=str,
)
def test_outside_the_crop(point, drawn):
    image = PaintKeypoints(radius=3 / 128)(crop(only((0, (0, 0, 0))).astype(np.float64)))["img"]
    keypoints = np.zeros((17, 3))
    keypoints[0] = [*point, 1]
    draw(image, keypoints, 3.0, min_score=0.3)
    assert painted(image).any() == drawn


def test_nobody_is_confident():
    image = PaintKeypoints()(crop(np.zeros((17, 3))))["img"]
    assert not painted(image).any()


def test_no_keypoints_at_all():
    sample = crop(None)
    del sample["keypoints"]
    with pytest.raises(InputError, match=r"^v \(1\) é has no keypoints to paint: give the data set keypoints=FOLDER"):
        PaintKeypoints()(sample)


def test_person_size_by_hand():
    # A person of 40 x 80 pixels whose crop of 75 x 100 is drawn 150 pixels wide, twice its size.
    assert person_size(np.array([40, 20, 80, 100]), np.array([22.5, 10, 97.5, 110]), 150) == 160
    assert person_size(np.array([10, 10, 10, 10]), np.array([9, 9, 11, 11]), 64) == 32  # one pixel at least


@pytest.mark.parametrize("factor", [0.5, 2, 3])
def test_the_same_whatever_the_frames_size(factor):
    """A frame twice as large gives the same crop, so the same dots."""
    box = np.array([40.0, 20, 80, 100])
    keypoints = only((0, (60, 30, 1)), (9, (45, 60, 1)))

    def run(scale):
        scaled = keypoints * [scale, scale, 1]
        image = np.full((int(120 * scale), int(160 * scale), 3), 90, dtype=np.uint8)
        sample = dict(img=image, box=box * scale, keypoints=scaled)
        return PaintKeypoints(radius=0.05)(CropPerson((128, 96))(sample))["img"]

    np.testing.assert_array_equal(run(1), run(factor))


def test_radius_goes_by_the_person_not_by_the_crop():
    def area(padding):
        sample = dict(img=np.zeros((200, 200, 3), np.uint8), box=np.array([80.0, 60, 120, 140]))
        sample["keypoints"] = only((0, (100, 100, 1)))
        return (PaintKeypoints(radius=0.05)(CropPerson((200, 150), padding)(sample))["img"][..., 0] / 255).sum()

    assert area(1.0) / area(2.0) == pytest.approx(4, rel=0.1)


def test_flip_before_or_after(monkeypatch):
    """Painting the mirrored crop is mirroring the crop painted with left and right colours exchanged."""
    keypoints = apart()
    image = np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8)
    before = PaintKeypoints(radius=4 / 128)(FlipPerson(prob=1)(dict(crop(keypoints), img=image.copy())))["img"]
    monkeypatch.setattr(paint, "COLOURS", COLOURS[FLIP_KEYPOINTS])
    after = PaintKeypoints(radius=4 / 128)(dict(crop(keypoints), img=image.copy()))["img"][:, ::-1]
    difference = np.abs(before.astype(int) - after)
    assert difference.max() <= 64 and difference.mean() < 0.2  # a sixteenth of a pixel at the rims
    assert painted(before, image[:, ::-1]).sum() > 17 * 40


def test_flip_exchanges_the_keypoints():
    keypoints = apart()
    flipped = FlipPerson(prob=1)(crop(keypoints))["keypoints"]
    left, right = KEYPOINTS.index("left_wrist"), KEYPOINTS.index("right_wrist")
    np.testing.assert_allclose(flipped[left], [96 - keypoints[right, 0], *keypoints[right, 1:]])
    np.testing.assert_array_equal(flipped, flip_keypoints(keypoints, 96))


def test_without_options_nothing_is_drawn_at_random():
    state = np.random.get_state()[1].copy()
    one, two = (PaintKeypoints()(crop(apart()))["img"] for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_options_leave_the_samples_keypoints_alone():
    keypoints = apart()
    kept = keypoints.copy()
    PaintKeypoints(jitter=0.1, dropout=0.5, drop_all=0.5)(crop(keypoints))
    np.testing.assert_array_equal(keypoints, kept)


def test_jitter_is_a_share_of_the_persons_size():
    step = PaintKeypoints(jitter=0.05)
    moved = np.concatenate([step._disturbed(np.zeros((17, 3)), 100.0) for _ in range(200)])
    assert moved[:, :2].std() == pytest.approx(5, rel=0.05) and not moved[:, 2].any()


def test_dropout_is_a_share_of_the_keypoints():
    step = PaintKeypoints(dropout=0.25)
    kept = np.concatenate([step._disturbed(np.ones((17, 3)), 100.0)[:, 2] for _ in range(200)])
    assert kept.mean() == pytest.approx(0.75, abs=0.03)


def test_drop_all_is_a_share_of_the_persons():
    step = PaintKeypoints(drop_all=0.25)
    drawn = [painted(step(crop(apart()))["img"]).any() for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.06)
    assert all(painted(PaintKeypoints(drop_all=0.0)(crop(apart()))["img"]).any() for _ in range(5))


def test_options_follow_numpys_seed():
    def run():
        np.random.seed(3)
        return PaintKeypoints(jitter=0.05, dropout=0.3)(crop(apart()))["img"]

    np.testing.assert_array_equal(run(), run())
