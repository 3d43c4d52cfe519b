"""How a config becomes a run: loading, launching, seeds and progress."""

from .config import config_taxonomy, load_config
from .hooks import EpochSeedHook, ProblemHook, ProgressHook
from .launch import LAUNCHERS, build_runner, fix_threads
from .sampler import SeededIndex, SeededSampler

__all__ = [
    "LAUNCHERS",
    "EpochSeedHook",
    "ProblemHook",
    "ProgressHook",
    "SeededIndex",
    "SeededSampler",
    "build_runner",
    "config_taxonomy",
    "fix_threads",
    "load_config",
]
