"""How trained networks are run: precision, layout of memory, fusing, compiling, and engines other than PyTorch."""

from .networks import optimise, run_with
from .settings import PRESETS, Runtime

__all__ = ["PRESETS", "Runtime", "optimise", "run_with"]
