"""What networks and systems cost: parameters and multiply-adds, counted from configs without data or weights.

``networks`` counts one network, on blank inputs that ``inputs`` makes by its test pipeline; ``systems`` says how much
of each there is in a frame, a video and a second of video.
"""

from .inputs import text
from .networks import Complexity, network_complexity, official_sizes, sizes_of, some_labels
from .systems import (
    DURATION,
    FPS,
    PERSONS,
    StageCost,
    Video,
    cut_of,
    segments_a_second,
    system_complexity,
    system_costs,
    total,
)

__all__ = [
    "DURATION",
    "FPS",
    "PERSONS",
    "Complexity",
    "StageCost",
    "Video",
    "cut_of",
    "network_complexity",
    "official_sizes",
    "segments_a_second",
    "sizes_of",
    "some_labels",
    "system_complexity",
    "system_costs",
    "text",
    "total",
]
