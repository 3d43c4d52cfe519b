"""Resampling of batches against OpenCV itself, bit for bit: by OpenCV into one tensor, and by torch's whole numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tpsparse.parsing.preparation import pixels
from tpsparse.parsing.preparation.pixels import resize_by_torch, resize_places_u8, resize_u8, warp_by_torch, warp_u8

ROADS = {"opencv": resize_u8, "torch": resize_by_torch}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Every pixel by itself: each weight shows in the result."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    each = [cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR) for image in images]
    return np.stack(each).transpose(0, 3, 1, 2)


def warped(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.warpAffine(image, matrix, size[::-1], flags=cv2.INTER_LINEAR).transpose(2, 0, 1)


@pytest.mark.parametrize("road", ROADS)
class TestResize:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ((7, 9), (7, 9)),
            ((1, 1), (5, 4)),
            ((5, 4), (1, 1)),
            ((1, 8), (1, 4)),
            ((6, 8), (3, 4)),
            ((6, 8), (3, 8)),
            ((6, 9), (3, 4)),
            ((12, 16), (3, 4)),
            ((3, 4), (6, 8)),
            ((96, 128), (144, 192)),
            ((384, 640), (800, 1333)),
            ((640, 384), (1333, 800)),
        ],
        ids=lambda size: "x".join(map(str, size)),
    )
    def test_is_opencvs(self, road, old, new):
        images = noise(2, *old)
        np.testing.assert_array_equal(ROADS[road](torch.from_numpy(images), new).numpy(), resized(images, new))

    def test_is_opencvs_for_any_sizes(self, road):
        rng = np.random.default_rng(1)
        for seed in range(150):
            old, new = (tuple(rng.integers(1, 80, 2).tolist()) for _ in range(2))
            images = noise(1, *old, seed=seed)
            got = ROADS[road](torch.from_numpy(images), new).numpy()
            np.testing.assert_array_equal(got, resized(images, new), err_msg=f"{old} to {new}")

    def test_no_picture(self, road):
        assert ROADS[road](torch.zeros(0, 6, 8, 3, dtype=torch.uint8), (5, 4)).shape == (0, 3, 5, 4)


def test_weights_at_the_edges_by_hand():
    """Two pixels to four: centres at -0.25, 0.25, 0.75 and 1.25, of which the outer ones have a neighbour too few."""
    pixels_across, across = pixels._resize_weights(2, 4, hold_edges=True)
    assert pixels_across.tolist() == [[0, 0, 0, 1], [0, 1, 1, 1]]
    assert across.tolist() == [[2048, 1536, 512, 2048], [0, 512, 1536, 0]]
    pixels_down, down = pixels._resize_weights(2, 4, hold_edges=False)
    assert pixels_down.tolist() == pixels_across.tolist()
    assert down.tolist() == [[512, 1536, 512, 1536], [1536, 512, 1536, 512]]


def test_pictures_may_be_a_list_of_arrays():
    images = noise(3, 20, 30)
    np.testing.assert_array_equal(resize_u8(list(images), (10, 12)).numpy(), resized(images, (10, 12)))


@pytest.mark.parametrize("device", ["cpu", "meta-free stand-in of another device"])
def test_places_are_cut_from_the_resized_picture(device, monkeypatch):
    images = noise(2, 20, 30)
    if device != "cpu":
        monkeypatch.setattr(pixels, "_is_cpu", lambda images: False)
    places = [(0, 0, 8, 8), (2, 10, 8, 8), (0, 4, 8, 8)]
    got = resize_places_u8(torch.from_numpy(images), (10, 18), places).numpy()
    whole = resized(images, (10, 18))
    want = np.stack([whole[:, :, y : y + 8, x : x + 8] for y, x, _, _ in places], axis=1)
    np.testing.assert_array_equal(got, want)


def random_matrices(count: int) -> list[np.ndarray]:
    """Shrinking and growing, turned and sheared, moved far out, nothing at all."""
    rng = np.random.default_rng(2)
    matrices = []
    for number in range(count):
        scale = np.exp(rng.uniform(-3, 3))
        matrix = np.array([[scale, 0, rng.uniform(-150, 150)], [0, scale, rng.uniform(-150, 150)]])
        if number % 3 == 1:
            matrix = rng.normal(0, 1, (2, 3)) * [1, 1, 30]
        if number % 10 == 2:
            matrix[:, 2] *= 1e4
        matrices.append(matrix)
    return [*matrices, np.eye(3)[:2], np.zeros((2, 3)), np.array([[0.5, 0, 0], [0, 0.5, 0]])]


class TestWarp:
    @pytest.mark.parametrize("old", [(40, 60), (1, 1), (1, 30), (33, 2)], ids=str)
    def test_is_opencvs(self, old):
        images, matrices, size = noise(2, *old), np.stack(random_matrices(100)), (31, 45)
        owner = np.arange(len(matrices)) % 2
        want = np.stack([warped(images[frame], matrix, size) for frame, matrix in zip(owner, matrices)])
        pictures = torch.from_numpy(images)
        np.testing.assert_array_equal(warp_u8(pictures, owner, matrices, size=size).numpy(), want)
        np.testing.assert_array_equal(warp_by_torch(pictures, owner, matrices, size).numpy(), want)

    def test_a_crop_of_the_size_that_networks_see(self):
        images = noise(1, 384, 640)
        matrices = np.array([[[2.13, 0, -300.7], [0, 2.13, -100.2]], [[0.61, 0, -33.3], [0, 0.61, 12.9]]])
        want = np.stack([warped(images[0], matrix, (384, 288)) for matrix in matrices])
        got = warp_by_torch(torch.from_numpy(images), np.zeros(2, dtype=int), matrices, (384, 288))
        np.testing.assert_array_equal(got.numpy(), want)

    @pytest.mark.parametrize("device", ["cpu", "another"])
    def test_drawing_comes_between(self, device, monkeypatch):
        if device != "cpu":
            monkeypatch.setattr(pixels, "_is_cpu", lambda images: False)

        def draw(number: int, picture: np.ndarray) -> None:
            picture[number, 2] = (1, 2, 3)

        images, matrices = torch.from_numpy(noise(1, 8, 8)), np.stack([np.eye(3)[:2]] * 2)
        got = warp_u8(images, np.zeros(2, dtype=int), matrices, size=(4, 6), draw=draw)
        plain = warp_u8(images, np.zeros(2, dtype=int), matrices, size=(4, 6))
        for number in (0, 1):
            assert got[number, :, number, 2].tolist() == [1, 2, 3]
            plain[number, :, number, 2] = got[number, :, number, 2]
        assert torch.equal(got, plain) and got.is_contiguous()

    def test_nobody(self):
        images, owner, matrices = (
            torch.zeros(1, 6, 8, 3, dtype=torch.uint8),
            np.zeros(0, dtype=int),
            np.zeros((0, 2, 3)),
        )
        assert warp_u8(images, owner, matrices, size=(5, 4)).shape == (0, 3, 5, 4)
        assert warp_by_torch(images, owner, matrices, (5, 4)).shape == (0, 3, 5, 4)
