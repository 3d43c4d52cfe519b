"""A stage without a network, in a system that is otherwise a trained one: what remains is the engine itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tpsparse.parsing import Stage
from tpsparse.registry import STAGES
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(parts=("head",), states=("none",), actions=("walk",))
CONFIG = """
custom_imports = dict(imports=["plain_stage"])
model = dict(
    type="ActionParser",
    stages=[dict(type="WholeFrame", config={network!r}, checkpoint={weights!r})],
    frames=dict(type="EveryFrame"),
    taxonomy="@taxonomy",
)
"""


@STAGES.register_module(force=True)
class WholeFrame(Stage):
    """One person a frame, as large as the frame, with its mean colour as a feature."""

    gives = ("boxes", "scores")

    def __init__(self, *, config: str, checkpoint: str, taxonomy: Taxonomy) -> None:
        self.config, self.checkpoint = config, checkpoint

    def parse_window(self, window: Any) -> None:
        """Every picture is one box."""
        height, width = window.images.shape[1:3]
        box = torch.tensor([[0.0, 0, width, height]])
        window.set_persons([box] * len(window), [torch.ones(1)] * len(window))
        window.person_features["colour"] = window.images.float().mean((1, 2))


def write_system(folder: Path) -> Path:
    """The config of the system, its network's and its weights."""
    network, weights, system = folder / "network.py", folder / "weights.pth", folder / "system.py"
    network.write_text("model = dict(type='None')\ntest_pipeline = []\n")
    torch.save({"meta": {"dataset_meta": {"taxonomy": TAXONOMY.to_meta()}}, "state_dict": {}}, weights)
    system.write_text(CONFIG.format(network=str(network), weights=str(weights)))
    return system
