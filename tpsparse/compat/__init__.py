"""Mends that let mmengine 0.10.7, mmcv 2.1.0, mmdet 3.3.0, mmpose 1.3.2 and mmaction2 1.2.0 run on today's PyTorch.

Each mend says what breaks, how that is detected and what is put in its place.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from . import checkpoints, mmaction_multimodal
from .imports import MendingFinder, StandInFinder

HERE = Path(__file__).parent

STAND_INS = {
    "mmcv._ext": HERE / "mmcv_ext.py",
    "mmaction.models.localizers.drn": None,
    "mmaction.models.localizers.drn.drn": HERE / "mmaction_drn.py",
}

MENDS = {
    "torch": checkpoints.allow_stored_types,
    checkpoints.HISTORY: checkpoints.allow_stored_types,
    checkpoints.CONFIG: checkpoints.allow_stored_types,
    "mmengine.runner.checkpoint": checkpoints.load_safely,
    "mmengine.fileio.backends.local_backend": checkpoints.write_whole,
    "mmengine.hooks.checkpoint_hook": checkpoints.remove_late,
    mmaction_multimodal.MODULE: mmaction_multimodal.leave_out_multimodal,
}

# Said by upstream code on every run and for the user to do nothing about: mmengine imports pkg_resources, which
# requirements.txt keeps installed, and mmaction2's Swin calls meshgrid with the default that torch may change.
HARMLESS_WARNINGS = ("pkg_resources is deprecated as an API", "torch.meshgrid: in an upcoming release")


def apply_mends() -> None:
    """Set up every mend; a second call changes nothing.

    Imports no package itself: a mend acts when the module that it concerns is imported, or at once if it has been. A
    stand-in acts if this runs before ``mmcv.ops`` or ``mmaction.models`` is imported.
    """
    if any(isinstance(finder, MendingFinder) for finder in sys.meta_path):
        return
    for name, mend in MENDS.items():
        if name in sys.modules:
            mend(sys.modules[name])
    for message in HARMLESS_WARNINGS:
        warnings.filterwarnings("ignore", message=message, category=UserWarning)
    sys.meta_path.insert(0, MendingFinder(MENDS))
    sys.meta_path.append(StandInFinder(STAND_INS))


__all__ = ["apply_mends"]
