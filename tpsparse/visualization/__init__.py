"""Pictures and videos of a parse."""

from .overlay import draw_parse, frame_strip
from .video_writer import write_overlay, write_overlay_reel, write_video

__all__ = ["draw_parse", "frame_strip", "write_overlay", "write_overlay_reel", "write_video"]
