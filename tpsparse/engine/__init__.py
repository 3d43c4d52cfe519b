"""How a config becomes a run: loading, launching, seeds and progress."""

from .config import config_taxonomy, evaluators, load_config, of_evaluators
from .fitting import AssignmentHook, FitHook, FitLoop, Unwrapped
from .hooks import DataShareHook, EpochSeedHook, MeanOverProcessesHook, ProblemHook, ProgressHook
from .launch import LAUNCHERS, LostPeerError, build_runner, end_after_lost_peer, fix_threads
from .optim import ScalingRunner
from .options import set_training_options
from .precision import MixedPrecisionOptimWrapper, set_precision
from .sampler import SeededIndex, SeededSampler

__all__ = [
    "LAUNCHERS",
    "AssignmentHook",
    "DataShareHook",
    "EpochSeedHook",
    "FitHook",
    "FitLoop",
    "LostPeerError",
    "MeanOverProcessesHook",
    "MixedPrecisionOptimWrapper",
    "ProblemHook",
    "ProgressHook",
    "ScalingRunner",
    "SeededIndex",
    "SeededSampler",
    "Unwrapped",
    "build_runner",
    "config_taxonomy",
    "end_after_lost_peer",
    "evaluators",
    "fix_threads",
    "load_config",
    "of_evaluators",
    "set_precision",
    "set_training_options",
]
