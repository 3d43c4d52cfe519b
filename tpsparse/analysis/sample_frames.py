"""Sample frames of a data set with their annotation drawn, one an action."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..datasets.problems import ProblemLog
from ..datasets.video import open_video
from ..errors import InputError
from ..visualization.overlay import draw_parse
from ..visualization.palette import display_name

if TYPE_CHECKING:
    from ..datasets.index import TPSIndex

TRIES = 5
"""Frames of an action that are tried before it goes without a picture."""
MAX_WIDTH = 720
QUALITY = 80


@dataclass(frozen=True)
class SampleFrame:
    """A drawn frame: a data URL, its size in pixels, and what it shows."""

    action: str
    caption: str
    url: str
    size: tuple[int, int]


def sample_frames(index: TPSIndex, seed: int, problems: ProblemLog) -> list[SampleFrame]:
    """Draw a random annotated frame of each action that has one with a person.

    Args:
        index: Of the split.
        seed: Decides, with the action's id, which frame is drawn.
        problems: Where a video that cannot be read is noted; another frame takes its place.
    """
    actions = np.array([entry.action for entry in index.videos], dtype=np.int64)
    persons = np.bincount(index.person_frame[index.persons], minlength=len(index.frame_video))
    peopled = index.frames[persons[index.frames] > 0]
    of_frame = actions[index.frame_video[peopled]]
    samples = []
    for action in tqdm(range(len(index.taxonomy.actions)), "sample frames", disable=None):
        order = np.random.default_rng((seed, action)).permutation(peopled[of_frame == action])
        for frame in order[:TRIES].tolist():
            try:
                samples.append(_draw(index, frame))
                break
            except InputError as error:
                path = index.videos[int(index.frame_video[frame])].path
                problems.add("sample frame", path, str(error).removeprefix(f"{path} "))
    return samples


def _draw(index: TPSIndex, frame: int) -> SampleFrame:
    entry = index.videos[int(index.frame_video[frame])]
    number, action = int(index.frame_number[frame]), index.taxonomy.actions[entry.action]
    image = open_video(entry.path).frames([number])[0]
    parse = index.frame_parse(frame)
    parse.scores = np.full_like(parse.scores, np.nan)  # an annotation's would be drawn as 1.00
    picture = Image.fromarray(draw_parse(image, parse, index.taxonomy))
    if picture.width > MAX_WIDTH:
        picture = picture.resize(
            (MAX_WIDTH, round(picture.height * MAX_WIDTH / picture.width)), Image.Resampling.LANCZOS
        )
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    url = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    return SampleFrame(display_name(action), f"{entry.name}, frame {number}", url, picture.size)
