"""A picture being drawn on: boxes and lines by OpenCV, text by Pillow in one pass at the end.

Shapes: H, W of the canvas. Boxes are ``xyxy`` in pixels of the canvas; colours are RGB.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .palette import INK, Colour, load_font

Rect = tuple[int, int, int, int]


class Canvas:
    """Draws on a copy of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        font_size: Height of the text in pixels.
        thickness: Width of a line in pixels.
    """

    def __init__(self, image: np.ndarray, *, font_size: int, thickness: int) -> None:
        self.image = np.ascontiguousarray(image).copy()
        self.font_size = font_size
        self.thickness = thickness
        self._texts: list[tuple[int, int, str, Colour, bool]] = []

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def line_height(self) -> int:
        """Pixels from one line of text to the next."""
        ascent, descent = load_font(self.font_size).getmetrics()
        return ascent + descent

    def text_width(self, text: str, *, bold: bool = False) -> int:
        """Pixels that a line of text takes."""
        return round(load_font(self.font_size, bold=bold).getlength(text))

    def text(self, x: int, y: int, text: str, *, colour: Colour, bold: bool = False) -> None:
        """Write a line with its upper left corner at (x, y), on top of all that is drawn before or after."""
        self._texts.append((x, y, text, colour, bold))

    def fill(self, rect: Rect, colour: Colour, *, opacity: float = 1.0) -> None:
        """Fill a rectangle, letting what is below shine through."""
        x0, y0, x1, y1 = self.clip(rect)
        region = self.image[y0:y1, x0:x1]
        region[:] = (region * (1 - opacity) + np.array(colour) * opacity).round()

    def box(self, rect: Rect, colour: Colour, *, dashed: bool = False) -> None:
        """Outline a rectangle, on a dark rim so that it is seen on any ground."""
        x0, y0, x1, y1 = self.clip(rect)
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        for width, ink in ((self.thickness + 1, INK), (self.thickness, colour))[self.thickness == 1 :]:
            if dashed:
                for start, end in zip(corners, corners[1:]):
                    self._dashed_line(start, end, ink, width)
            else:
                cv2.rectangle(self.image, (x0, y0), (x1, y1), ink, width)

    def line(self, start: tuple[int, int], end: tuple[int, int], colour: Colour) -> None:
        """A smooth line, finer than a box's."""
        cv2.line(self.image, start, end, colour, max(1, self.thickness - 1), cv2.LINE_AA)

    def dot(self, centre: tuple[int, int], colour: Colour) -> None:
        """A small disc with a dark rim."""
        cv2.circle(self.image, centre, self.thickness + 2, INK, -1, cv2.LINE_AA)
        cv2.circle(self.image, centre, self.thickness + 1, colour, -1, cv2.LINE_AA)

    def clip(self, rect: Rect) -> Rect:
        """The rectangle cut to the canvas."""
        height, width = self.size
        x0, y0, x1, y1 = rect
        return min(max(x0, 0), width), min(max(y0, 0), height), min(max(x1, 0), width), min(max(y1, 0), height)

    def finish(self) -> np.ndarray:
        """The picture with its text, (H, W, 3) uint8 RGB."""
        picture = Image.fromarray(self.image)
        pen = ImageDraw.Draw(picture)
        for x, y, text, colour, bold in self._texts:
            pen.text((x, y), text, fill=colour, font=load_font(self.font_size, bold=bold))
        return np.array(picture)

    def _dashed_line(self, start: tuple[int, int], end: tuple[int, int], colour: Colour, thickness: int) -> None:
        dash = 3 * self.thickness + 2
        points = np.array([start, end], dtype=float)
        length = float(np.abs(points[1] - points[0]).sum())  # the edges of a box run along the axes
        for at in np.arange(0, length, 2 * dash):
            ends = points[0] + (points[1] - points[0]) * np.array([[at], [min(at + dash, length)]]) / length
            (x0, y0), (x1, y1) = ends.round().astype(int).tolist()
            cv2.line(self.image, (x0, y0), (x1, y1), colour, thickness)
