"""Keypoints painted on a person's crop, so that a part detector can tell left from right (PCF, 2022, equation 3).

Shapes: J = 17 COCO keypoints of (x, y, score), h x w pixels of a crop.
"""

from __future__ import annotations

import colorsys
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import InputError
from ...registry import TRANSFORMS
from ...structures.keypoints import CONFIDENT, FLIP_KEYPOINTS, KEYPOINTS, is_confident

SHIFT = 4  # binary digits behind the point of OpenCV's coordinates
RIM = 0.5  # pixels that a smooth rim adds to a radius


def _colours() -> np.ndarray:
    """The nose is white; a left keypoint has one of eight hues of half the circle, its right twin the opposite hue."""
    colours = np.full((len(KEYPOINTS), 3), 255, dtype=np.uint8)
    lefts = [i for i, name in enumerate(KEYPOINTS) if name.startswith("left_")]
    for place, left in enumerate(lefts):
        hue = place / len(lefts) / 2
        for keypoint, own in ((left, hue), (FLIP_KEYPOINTS[left], hue + 0.5)):
            colours[keypoint] = np.rint(255 * np.array(colorsys.hsv_to_rgb(own, 1.0, 1.0)))
    return colours


COLOURS = _colours()
"""(J, 3) uint8 RGB, no two alike."""


@TRANSFORMS.register_module()
class PaintKeypoints(BaseTransform):
    """Draws a filled dot in a colour of its own at each confident keypoint: ``X'_p = X_p + G(K_p)``, equation 3.

    Goes after :class:`CropPerson`, :class:`FlipPerson` and :class:`JitterColor`, with the same first two arguments in
    training and testing; the others are for training alone. A dot's radius is a share of the person's size, the longer
    side of its box in pixels of the crop, so it is the same whatever the frame's size. The report gives neither colours
    nor radius.

    A person without a confident keypoint stays unpainted. Sets ``painted``: whether the person has one, before any is
    left out at random.

    Args:
        radius: Share of the person's size.
        min_score: A keypoint of a lower score, or of 0, is not drawn.
        jitter: Standard deviation of a random displacement of each keypoint, as a share of the person's size.
        dropout: Share of the keypoints that are left out at random.
        drop_all: Share of the persons of whom all are left out.
    """

    def __init__(
        self,
        *,
        radius: float = 0.02,
        min_score: float = CONFIDENT,
        jitter: float = 0.0,
        dropout: float = 0.0,
        drop_all: float = 0.0,
    ) -> None:
        self.radius = radius
        self.min_score = min_score
        self.jitter = jitter
        self.dropout = dropout
        self.drop_all = drop_all

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Paint on ``img``, which must be the sample's own, as a crop is.

        Raises:
            InputError: If the sample has no ``keypoints``.
        """
        if "keypoints" not in results:
            raise InputError(
                f"{results.get('video') or 'the sample'} has no keypoints to paint: "
                "give the data set keypoints=FOLDER, or put a pose stage before the part detector"
            )
        size = person_size(results["box"], results["crop"], results["img"].shape[1])
        keypoints = np.asarray(results["keypoints"], dtype=np.float64)
        results["painted"] = bool(is_confident(keypoints[:, 2], self.min_score).any())
        paint(results["img"], self._disturbed(keypoints, size), self.radius * size, min_score=self.min_score)
        return results

    def _disturbed(self, keypoints: np.ndarray, size: float) -> np.ndarray:
        if self.jitter:
            keypoints = keypoints.copy()
            keypoints[:, :2] += np.random.normal(0, self.jitter * size, (len(keypoints), 2))
        if self.drop_all and np.random.random() < self.drop_all:
            return keypoints[:0]
        if self.dropout:
            kept = np.random.random(len(keypoints)) >= self.dropout
            keypoints = np.where(kept[:, None], keypoints, 0.0)
        return keypoints


def person_size(box: np.ndarray, crop: np.ndarray, width: int) -> float:
    """The longer side of a person's box in pixels of the crop; one pixel of the image at least, as the crop has it.

    Args:
        box: (4,) of the person, in pixels of the image.
        crop: (4,) where the crop lies in the image.
        width: Of the crop in its own pixels.
    """
    side = max(float(box[2] - box[0]), float(box[3] - box[1]), 1.0)
    return side * width / float(crop[2] - crop[0])


def paint(image: np.ndarray, keypoints: np.ndarray, radius: float, *, min_score: float) -> None:
    """Draw dots on an image (h, w, 3) uint8 RGB in place, in the order of the keypoints.

    Args:
        image: A crop.
        keypoints: (J, 3) in its pixels, continuous coordinates; none but the confident are drawn.
        radius: In pixels.
        min_score: From which a keypoint is confident.
    """
    height, width = image.shape[:2]
    x, y, score = np.asarray(keypoints, dtype=np.float64).T
    # Far outside, OpenCV's whole numbers would overflow; NaN fails every comparison.
    seen = is_confident(score, min_score) & (np.abs(x - width / 2) < width / 2 + radius)
    seen &= np.abs(y - height / 2) < height / 2 + radius
    # Continuous coordinates have a pixel's centre at half; OpenCV has it at whole numbers.
    centres = np.rint((np.stack([x, y], axis=1)[seen] - 0.5) * 2**SHIFT).astype(int).tolist()
    # OpenCV's smooth rim lies outside the radius that it is given.
    reach = max(round((radius - RIM) * 2**SHIFT), 1)
    for centre, colour in zip(centres, COLOURS[: len(score)][seen].tolist()):
        cv2.circle(image, centre, reach, colour, thickness=cv2.FILLED, lineType=cv2.LINE_AA, shift=SHIFT)
