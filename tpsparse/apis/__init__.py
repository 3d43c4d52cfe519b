"""What a user calls from Python; the scripts in ``tools/`` are thin layers over these functions."""

from .building import is_encoder, is_system
from .testing import find_segments, test, write_to
from .training import train
from .videos import ASSUMED_FPS, RECORD_FILE, build_parser, parse_to_folder, parse_video

__all__ = [
    "ASSUMED_FPS",
    "RECORD_FILE",
    "build_parser",
    "find_segments",
    "is_encoder",
    "is_system",
    "parse_to_folder",
    "parse_video",
    "test",
    "train",
    "write_to",
]
