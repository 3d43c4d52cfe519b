import numpy as np
import pytest

from tpsparse.datasets.synthetic.raster import OVERSAMPLE, Canvas, Mark

RED, BLUE = Mark(owner=1, ink=0, cover=1), Mark(owner=2, ink=1, cover=2)
FRONT = np.array([0.0, 0.0, 1.0])


def canvas() -> Canvas:
    return Canvas((40, 60), FRONT)


def test_sphere_covers_a_disc():
    drawn = canvas()
    drawn.ellipsoid(np.array([60.0, 50.0, 0.0]), np.eye(3) * 20, RED)
    assert np.count_nonzero(drawn.owner) == pytest.approx(np.pi * 20**2, rel=0.01)
    assert drawn.depth.max() == pytest.approx(20, abs=0.1)  # its nearest point
    assert drawn.shade[50, 60] == pytest.approx(1, abs=0.01)  # seen along the light


def test_lying_ellipsoid_has_the_area_of_its_ellipse():
    drawn = canvas()
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1.0]])
    drawn.ellipsoid(np.array([60.0, 50.0, 0.0]), turn * np.array([24.0, 10.0, 5.0]), RED)
    assert np.count_nonzero(drawn.owner) == pytest.approx(np.pi * 24 * 10, rel=0.02)


def test_cone_covers_a_stadium():
    drawn = canvas()
    drawn.cone(np.array([[40.0, 50.0, 0.0], [80.0, 50.0, 0.0]]), (8.0, 8.0), RED)
    assert np.count_nonzero(drawn.owner) == pytest.approx(np.pi * 64 + 40 * 16, rel=0.02)


def test_cone_seen_end_on_shows_its_nearer_sphere():
    drawn = canvas()
    drawn.cone(np.array([[60.0, 50.0, -30.0], [60.0, 50.0, 30.0]]), (5.0, 12.0), RED)
    assert np.count_nonzero(drawn.owner) == pytest.approx(np.pi * 144, rel=0.02)
    assert drawn.depth.max() == pytest.approx(42, abs=0.2)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_nearer_shape_hides_farther_whatever_the_order(order):
    drawn = canvas()
    shapes = [(np.array([60.0, 50.0, 40.0]), RED), (np.array([60.0, 50.0, 0.0]), BLUE)]
    for i in order:
        drawn.ellipsoid(shapes[i][0], np.eye(3) * (10 if i == 0 else 14), shapes[i][1])
    assert drawn.owner[50, 60] == RED.owner
    assert drawn.owner[50, 60 + 12] == BLUE.owner
    assert drawn.cover[50, 60] == RED.cover | BLUE.cover  # what is hidden is still counted


def test_shape_outside_the_canvas_leaves_nothing():
    drawn = canvas()
    drawn.cone(np.array([[-90.0, 50.0, 0.0], [-60.0, 50.0, 0.0]]), (5.0, 5.0), RED)
    drawn.ellipsoid(np.array([60.0, 900.0, 0.0]), np.eye(3) * 9, RED)
    assert not drawn.owner.any()


def test_composite_paints_shapes_and_leaves_the_rest():
    drawn = canvas()
    corner = OVERSAMPLE * drawn.margin
    drawn.ellipsoid(np.array([corner + 60.0, corner + 40.0, 0.0]), np.eye(3) * 20, RED)
    background = np.full((40, 60, 3), 50, dtype=np.float32)
    image = drawn.composite(background, np.array([[200, 0, 0], [0, 0, 200]], dtype=np.uint8))
    assert image.shape == (40, 60, 3)
    np.testing.assert_allclose(image[20, 30], [200, 0, 0], atol=6)
    np.testing.assert_array_equal(image[0, 0], background[0, 0])
    np.testing.assert_array_equal(background, 50)


def test_composite_of_nothing_is_the_background():
    background = np.full((40, 60, 3), 7, dtype=np.float32)
    np.testing.assert_array_equal(canvas().composite(background, np.zeros((1, 3), dtype=np.uint8)), background)
