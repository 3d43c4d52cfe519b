"""What is measured, as functions of arrays and of the challenge's dictionaries: no files, no networks."""

from .average_precision import box_average_precision
from .kinetics_tps import TPSResult, evaluate
from .matching import inclusive_iou, match_persons
from .psc import frame_means, part_rewards, video_psc
from .score import psc_accuracy, psc_score

__all__ = [
    "TPSResult",
    "box_average_precision",
    "evaluate",
    "frame_means",
    "inclusive_iou",
    "match_persons",
    "part_rewards",
    "psc_accuracy",
    "psc_score",
    "video_psc",
]
