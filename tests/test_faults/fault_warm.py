"""Imported by the process that runs are forked from, see fault_runs.py."""

from __future__ import annotations

import os

import cv2
import torch
from fault_runs import TOOLS, load_tool
from torch.utils import tensorboard

import tpsparse.apis
import tpsparse.cli
import tpsparse.datasets.coco
import tpsparse.reproduction

KEPT = (tensorboard, tpsparse.apis, tpsparse.datasets.coco, tpsparse.reproduction)
MODULES = {name: load_tool(name) for name in TOOLS}
torch.set_num_threads(1)
cv2.setNumThreads(1)
os.environ["OMP_NUM_THREADS"] = "1"


def run(tool: str, arguments: list[str]) -> int:
    """The exit status of a script."""
    return tpsparse.cli.run(MODULES[tool].main, arguments)
