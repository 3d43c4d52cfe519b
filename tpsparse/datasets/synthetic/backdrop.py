"""Where the people are: a floor and a wall or a landscape with random surfaces and things standing about.

Every pixel's ray is met with the floor (y = 0) and the wall (z = ``wall``), so the surfaces keep their perspective.
Shapes: H, W rows and columns of the plate, which is the frame with a margin all around for the camera to move in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from .camera import Camera

PLATE_MARGIN = 0.16  # of the frame's longer side
_TILE = 128

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]  # two coordinates (H, W) in metres to colours (H, W, 3)

_WALLS = ((214, 206, 190), (188, 198, 204), (168, 182, 160), (206, 178, 158), (150, 158, 172), (224, 222, 216))
_BRICKS = ((158, 92, 72), (178, 130, 104), (128, 120, 116))
_WOODS = ((186, 142, 94), (150, 106, 68), (206, 172, 126))
_MATS = ((74, 78, 84), (62, 84, 104), (96, 70, 66), (132, 136, 138))
_GRASS = ((98, 132, 64), (122, 148, 78), (84, 116, 66))
_ASPHALT = ((136, 134, 132), (112, 114, 118), (168, 160, 148))
_THINGS = ((176, 64, 52), (52, 96, 150), (206, 170, 60), (70, 118, 82), (120, 116, 112), (206, 200, 188))


def plate_margin(size: tuple[int, int]) -> int:
    """Pixels that the plate has beyond the frame on each side."""
    return int(np.ceil(PLATE_MARGIN * max(size)))


def draw_backdrop(rng: np.random.Generator, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """A random place seen by the camera: the plate (H, W, 3) float32, 0 to 255."""
    margin = plate_margin(size)
    rows, columns = (side + 2 * margin for side in size)
    # Joints between tiles are finer than a pixel: sample twice as densely and average.
    x, y = np.meshgrid(np.arange(2 * columns) / 2 + 0.25 - margin, np.arange(2 * rows) / 2 + 0.25 - margin)
    eye, rays = camera.rays(x, y)
    wall = -float(rng.uniform(2.2, 3.8))
    outdoors = rng.random() < 0.35
    plate = _outdoors(rng, rays, eye) if outdoors else _indoors(rng, rays, eye, wall)
    plate = np.asarray(cv2.resize(plate, (columns, rows), interpolation=cv2.INTER_AREA))
    _put_things(rng, plate, camera, margin, wall if not outdoors else -3.0)
    return np.clip(plate * _vignette(rng, rows, columns)[..., None], 0, 255).astype(np.float32)


def _meet(rays: np.ndarray, eye: np.ndarray, axis: int, level: float) -> np.ndarray:
    """(H, W) distance along each ray to the plane where coordinate ``axis`` is ``level``; infinite if it is missed."""
    step = np.where(np.abs(rays[..., axis]) < 1e-6, 1e-6, rays[..., axis])
    distance = (level - eye[axis]) / step
    return np.where(distance > 0, distance, np.inf)


def _indoors(rng: np.random.Generator, rays: np.ndarray, eye: np.ndarray, wall: float) -> np.ndarray:
    to_floor, to_wall = _meet(rays, eye, 1, 0.0), _meet(rays, eye, 2, wall)
    on_floor = to_floor < to_wall
    distance = np.where(on_floor, to_floor, to_wall)
    points = eye + rays * np.minimum(distance, 60.0)[..., None]
    floor = _pick(rng, (_planks, _tiles, _mat))(rng)(points[..., 0], points[..., 2])
    upright = _furnished(rng, _pick(rng, (_bricks, _plaster, _panels, _stripes))(rng))(points[..., 0], points[..., 1])
    plate = np.where(on_floor[..., None], floor, upright)
    board = ~on_floor & (points[..., 1] < 0.11)
    plate[board] *= 0.72
    corner = np.where(on_floor, points[..., 2] - wall, points[..., 1])
    return plate * (0.78 + 0.22 * np.clip(corner / 0.7, 0, 1))[..., None]


def _outdoors(rng: np.random.Generator, rays: np.ndarray, eye: np.ndarray) -> np.ndarray:
    to_floor = _meet(rays, eye, 1, 0.0)
    points = eye + rays * np.minimum(to_floor, 60.0)[..., None]
    ground = _ground(rng)(points[..., 0], points[..., 2])
    haze = np.clip(-points[..., 2] / 45, 0, 0.6)[..., None]
    ground = ground * (1 - haze) + np.array([190, 196, 200]) * haze
    slope = rays[..., 1] / -rays[..., 2]
    bearing = rays[..., 0] / -rays[..., 2]
    high = np.clip(slope / 0.5, 0, 1)[..., None]
    sky = np.array([206, 220, 232]) * (1 - high) + np.array([104, 154, 212]) * high
    cloud = np.clip(_noise(rng, 5)(bearing * 1.5, slope * 4) * 2.2 - 0.1, 0, 0.8)[..., None]
    sky = sky * (1 - cloud) + 240 * cloud
    plate = np.where((slope < 0)[..., None], ground, sky)
    for height, jagged, colour in ((0.14, 0.1, (128, 148, 158)), (0.07, 0.35, (72, 104, 66))):
        rough = _noise(rng, 9)
        crest = height * (0.75 + rough(bearing * 3, bearing * 0) + jagged * rough(bearing * 17, bearing * 0))
        inside = (slope >= 0) & (slope < crest)
        leaf = 1 + 0.3 * rough(bearing * 23, slope * 23)
        plate = np.where(inside[..., None], np.array(colour) * leaf[..., None], plate)
    return plate


def _noise(rng: np.random.Generator, cells: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Smooth noise in about [-0.5, 0.5] over the plane that repeats every unit; ``cells`` bumps a unit."""
    grid = rng.random((cells, cells), dtype=np.float32) - 0.5
    grid = np.pad(grid, ((0, 1), (0, 1)), mode="wrap")
    tile = cv2.resize(grid, (_TILE + 1, _TILE + 1), interpolation=cv2.INTER_CUBIC)[:_TILE, :_TILE]
    tile = np.ascontiguousarray(tile)

    def sample(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        across = (np.mod(u, 1.0) * _TILE).astype(np.float32)
        down = (np.mod(v, 1.0) * _TILE).astype(np.float32)
        return cv2.remap(tile, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float64)

    return sample


def _pick(rng: np.random.Generator, options: tuple) -> Any:
    return options[rng.integers(len(options))]


def _colour(rng: np.random.Generator, options: tuple) -> np.ndarray:
    return np.array(_pick(rng, options), dtype=float) * rng.uniform(0.88, 1.06)


def _hashed(cells: np.ndarray) -> np.ndarray:
    """A fixed pseudo-random number in [0, 1) for each whole number."""
    return np.mod(np.sin(cells * 12.9898 + 4.1) * 43758.5453, 1.0)


def _planks(rng: np.random.Generator) -> Surface:
    base, grain = _colour(rng, _WOODS), _noise(rng, 11)

    def surface(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        board = np.floor(x / 0.16)
        joint = np.mod(z + _hashed(board) * 1.8, 1.8)
        light = 0.9 + 0.16 * _hashed(board + 31 * np.floor((z + _hashed(board) * 1.8) / 1.8))
        light = light + 0.16 * grain(x * 1.7, z * 0.21)
        light = light * np.where((np.mod(x, 0.16) < 0.012) | (joint < 0.015), 0.74, 1.0)
        return base * light[..., None]

    return surface


def _tiles(rng: np.random.Generator) -> Surface:
    base, side, speck = _colour(rng, _WALLS + _ASPHALT), rng.uniform(0.35, 0.7), _noise(rng, 23)
    contrast = rng.uniform(0.0, 0.3)

    def surface(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        odd = np.mod(np.floor(x / side) + np.floor(z / side), 2)
        joint = (np.mod(x, side) < 0.015) | (np.mod(z, side) < 0.02)
        light = (1 - contrast * odd + 0.1 * speck(x, z)) * np.where(joint, 0.8, 1.0)
        return base * light[..., None]

    return surface


def _mat(rng: np.random.Generator) -> Surface:
    base, speck, broad = _colour(rng, _MATS), _noise(rng, 61), _noise(rng, 4)

    def surface(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        joint = (np.mod(x + 0.5, 1.0) < 0.012) | (np.mod(z + 0.3, 1.0) < 0.015)
        light = (1 + 0.3 * speck(x, z) + 0.12 * broad(x / 4, z / 4)) * np.where(joint, 0.8, 1.0)
        return base * light[..., None]

    return surface


def _ground(rng: np.random.Generator) -> Surface:
    base = _colour(rng, _pick(rng, (_GRASS, _ASPHALT)))
    fine, broad, line = _noise(rng, 47), _noise(rng, 6), rng.uniform(-2.4, -0.8)

    def surface(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        light = 1 + 0.3 * fine(x, z) + 0.25 * broad(x / 5, z / 5)
        colour = base * light[..., None]
        return np.where((np.abs(z - line) < 0.04)[..., None], 0.4 * colour + 0.6 * 232, colour)

    return surface


def _bricks(rng: np.random.Generator) -> Surface:
    base, stain = _colour(rng, _BRICKS), _noise(rng, 7)

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        row = np.floor(y / 0.11)
        along = x + 0.14 * np.mod(row, 2)
        mortar = (np.mod(y, 0.11) < 0.014) | (np.mod(along, 0.28) < 0.014)
        light = 0.86 + 0.26 * _hashed(np.floor(along / 0.28) + 57 * row) + 0.25 * stain(x / 3, y / 3)
        return np.where(mortar[..., None], base * 0.55 + 84, base * light[..., None])

    return surface


def _plaster(rng: np.random.Generator) -> Surface:
    base, fine, broad = _colour(rng, _WALLS), _noise(rng, 53), _noise(rng, 5)

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        light = 0.94 + 0.06 * fine(x, y) + 0.14 * broad(x / 4, y / 4) + 0.03 * y
        return base * light[..., None]

    return surface


def _panels(rng: np.random.Generator) -> Surface:
    base, low, wide = _colour(rng, _WALLS), _colour(rng, _WOODS + _MATS), rng.uniform(0.3, 0.8)

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        light = np.where(np.mod(x, wide) < 0.02, 0.84, 1.0) * np.where(np.abs(y - 1.05) < 0.03, 0.8, 1.0)
        return np.where((y < 1.05)[..., None], low, base) * light[..., None]

    return surface


def _stripes(rng: np.random.Generator) -> Surface:
    base, wide, contrast = _colour(rng, _WALLS), rng.uniform(0.15, 0.5), rng.uniform(0.06, 0.2)

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        light = 1 - contrast * np.mod(np.floor(x / wide), 2) + 0.02 * y
        return base * light[..., None]

    return surface


def _furnished(rng: np.random.Generator, under: Surface) -> Surface:
    """A wall with up to three pictures or windows."""
    frames = [
        (
            rng.uniform(-3.5, 3.5),
            rng.uniform(1.2, 2.1),
            rng.uniform(0.25, 0.7),
            rng.uniform(0.2, 0.5),
            rng.random() < 0.5,
        )
        for _ in range(rng.integers(0, 4))
    ]
    looks = [(_colour(rng, _THINGS), _colour(rng, _WOODS), _noise(rng, 6)) for _ in frames]

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        colour = under(x, y)
        for (left, middle, half_wide, half_high, window), (paint, border, pattern) in zip(frames, looks):
            off = np.maximum(np.abs(x - left) - half_wide, np.abs(y - middle) - half_high)
            bars = (np.abs(x - left) < 0.02) | (np.abs(y - middle) < 0.02) if window else np.zeros(x.shape, dtype=bool)
            inside = np.array([196, 218, 236]) if window else paint
            light = 1 + (0.15 if window else 0.9) * pattern(x * 0.9, y * 0.9)
            colour = np.where((off < 0.05)[..., None], border, colour)
            colour = np.where(((off < 0) & ~bars)[..., None], inside * light[..., None], colour)
        return colour

    return surface


def _put_things(rng: np.random.Generator, plate: np.ndarray, camera: Camera, margin: int, wall: float) -> None:
    """Boxes, balls and plants on the floor near the wall, drawn into the plate."""
    for _ in range(rng.integers(0, 5)):
        kind = rng.integers(3)
        x, z = rng.uniform(-3.2, 3.2), wall + rng.uniform(0.3, 0.8)
        colour = _colour(rng, _THINGS)
        (_put_box, _put_ball, _put_plant)[kind](rng, plate, camera, margin, np.array([x, 0.0, z]), colour)


def _corners(camera: Camera, margin: int, points: np.ndarray) -> np.ndarray:
    image, _ = camera.project(points)
    return np.round((image[:, :2] + margin) * 16).astype(np.int32)


def _put_box(
    rng: np.random.Generator, plate: np.ndarray, camera: Camera, margin: int, base: np.ndarray, colour: np.ndarray
) -> None:
    wide, high, deep = rng.uniform(0.15, 0.45), rng.uniform(0.2, 0.7), rng.uniform(0.1, 0.3)
    front = base + np.array([[-wide, 0, deep], [wide, 0, deep], [wide, high, deep], [-wide, high, deep]])
    top = base + np.array([[-wide, high, deep], [wide, high, deep], [wide, high, -deep], [-wide, high, -deep]])
    cv2.fillConvexPoly(plate, _corners(camera, margin, front), (0.8 * colour).tolist(), cv2.LINE_AA, 4)
    cv2.fillConvexPoly(plate, _corners(camera, margin, top), colour.tolist(), cv2.LINE_AA, 4)


def _put_ball(
    rng: np.random.Generator, plate: np.ndarray, camera: Camera, margin: int, base: np.ndarray, colour: np.ndarray
) -> None:
    radius = rng.uniform(0.12, 0.34)
    image, scale = camera.project((base + np.array([0.0, radius, 0.0]))[None])
    for share, light in ((1.0, 0.7), (0.85, 0.85), (0.6, 1.0), (0.25, 1.12)):
        shift = (1 - share) * 0.4 * radius * scale[0]
        centre = np.round((image[0, :2] - shift + margin) * 16).astype(int).tolist()
        cv2.circle(plate, centre, round(16 * share * radius * scale[0]), (light * colour).tolist(), -1, cv2.LINE_AA, 4)


def _put_plant(
    rng: np.random.Generator, plate: np.ndarray, camera: Camera, margin: int, base: np.ndarray, colour: np.ndarray
) -> None:
    pot = base + np.array([[-0.1, 0, 0], [0.1, 0, 0], [0.15, 0.28, 0], [-0.15, 0.28, 0]])
    for _ in range(16):
        lean, length = rng.uniform(-0.45, 0.45), rng.uniform(0.35, 0.8)
        tip = base + np.array([lean, 0.26 + length, 0.0])
        middle = base + np.array([lean * 0.3, 0.26 + 0.6 * length, 0.0])
        side = np.array([0.045, 0.02, 0.0])
        leaf = np.stack([base + np.array([0.0, 0.26, 0.0]), middle - side, tip, middle + side])
        green = np.array([62, 116, 58]) * rng.uniform(0.7, 1.25)
        cv2.fillConvexPoly(plate, _corners(camera, margin, leaf), green.tolist(), cv2.LINE_AA, 4)
    cv2.fillConvexPoly(plate, _corners(camera, margin, pot), (0.85 * colour).tolist(), cv2.LINE_AA, 4)


def _vignette(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(H, W) light that falls from one upper side, a little darker in the corners."""
    down, across = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    slant = rng.uniform(-0.09, 0.09)
    return rng.uniform(0.86, 1.04) * (1 + slant * across - 0.05 * down - 0.07 * (across**2 + down**2))
