"""What is measured, as functions of arrays and of the challenge's dictionaries: no files, no networks."""

from .average_precision import box_average_precision
from .boundaries import BoundaryScores, Distances, boundary_scores, even_boundaries
from .intervals import Interval, contributions, difference_interval, score_interval
from .kinetics_tps import TPSResult, evaluate
from .matching import inclusive_iou, match_persons
from .multi_label import average_precision, mean_known, state_average_precision
from .psc import frame_means, part_rewards, video_psc
from .score import psc_accuracy, psc_score, score_contributions

__all__ = [
    "BoundaryScores",
    "Distances",
    "Interval",
    "TPSResult",
    "average_precision",
    "boundary_scores",
    "box_average_precision",
    "contributions",
    "difference_interval",
    "evaluate",
    "even_boundaries",
    "frame_means",
    "inclusive_iou",
    "match_persons",
    "mean_known",
    "part_rewards",
    "psc_accuracy",
    "psc_score",
    "score_contributions",
    "score_interval",
    "state_average_precision",
    "video_psc",
]
