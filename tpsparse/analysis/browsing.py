"""Pictures of the samples that a config trains or tests on, after the config's own transforms.

The data set, its sampler and its pipeline are those of the config, and the seeds those of training, so the pictures are
what the first iterations eat.
"""

from __future__ import annotations

import copy
import inspect
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image
from tqdm import tqdm

from ..datasets.base import seed_transforms
from ..datasets.problems import ProblemLog
from ..engine import config_taxonomy
from ..errors import InputError
from ..registry import DATA_SAMPLERS, DATASETS, MODELS, SCOPE, TRANSFORMS
from ..visualization.samples import Encode, draw_sample, index_sheet
from .writing import write_whole

INDEX_FILE = "index.jpg"
MAX_INDEX = 60
"""Pictures on the contact sheet."""
TOLD = ("video", "frame_index", "action", "flip", "frame_inds", "states")
"""What a packing transform is asked to keep for the caption; nothing of it reaches the network."""
_PACKERS = ("PackActionInputs", "PackDetInputs")
_FEATURE_PACKERS = ("PackFeatures", "PackInstance")


class Browser:
    """The samples of one data loader of a config, in the order and with the seeds of the first epoch.

    Args:
        cfg: A loaded training config.
        split: Which data loader: ``train`` or ``test``.
        seed: Of the run; the config's by default.

    Raises:
        InputError: If the config has no such data loader, cannot be built, or its network eats features.
    """

    def __init__(self, cfg: Config, *, split: str = "train", seed: int | None = None) -> None:
        self.config = cfg.filename
        loader = copy.deepcopy(_loader(cfg, split))
        _ask_packers(loader.dataset)
        init_default_scope(SCOPE)
        self.taxonomy = config_taxonomy(cfg)
        self.seed = cfg.get("randomness", {}).get("seed") or 0 if seed is None else seed
        try:
            self.dataset = DATASETS.build(loader.dataset)
            given = dict(dataset=self.dataset, seed=self.seed)
            self.sampler = DATA_SAMPLERS.build(loader.sampler, default_args=given)
            self.classes = tuple(getattr(self.dataset, "metainfo", {}).get("classes", ()))
            self.encode = _encoder(cfg)
        except (TypeError, KeyError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            told = " ".join(str(error).split())
            raise InputError(f"config {self.config} cannot be built ({told}): correct it or --cfg-options") from error

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def problems(self) -> ProblemLog:
        """What of the data set could not be used."""
        return self.dataset.problems

    def samples(self, num: int) -> Iterator[dict[str, Any]]:
        """The first ``num`` samples, fewer where there are fewer, as the pipeline gives them.

        Of what is tested on several views, such as sizes and mirror images, each is a sample.
        """
        seed_transforms(self.seed)  # for samplers whose keys bring no seed
        return islice((view for key in self.sampler for view in _views(self.dataset[key])), num)

    def write(self, out: Path, num: int) -> list[Path]:
        """Draw the first ``num`` samples to ``out/001.jpg`` and so on, and all of them on ``out/index.jpg``.

        Returns:
            The samples' pictures.

        Raises:
            InputError: If the samples are not pictures, or a file cannot be written.
        """
        paths, pictures = [], []
        digits = max(3, len(str(num)))
        total = min(num, len(self))
        for number, sample in enumerate(tqdm(self.samples(num), "drawing", total, disable=None), start=1):
            picture = draw_sample(sample, self.taxonomy, encode=self.encode, classes=self.classes)
            paths.append(out / f"{number:0{digits}d}.jpg")
            _write_picture(paths[-1], picture)
            if number <= MAX_INDEX:
                pictures.append(picture)
        _write_picture(out / INDEX_FILE, index_sheet(pictures, [path.name for path in paths[:MAX_INDEX]]))
        return paths


def _loader(cfg: Config, split: str) -> Any:
    loader = cfg.get(f"{split}_dataloader")
    if loader is None or "pipeline" not in loader.get("dataset", {}):
        raise InputError(f"config {cfg.filename} has no {split}_dataloader with a pipeline: give a training config")
    if any(step.get("type", "").endswith(_FEATURE_PACKERS) for step in loader.dataset.pipeline):
        raise InputError(
            f"config {cfg.filename} trains on saved features, which are no pictures: browse the configs of the "
            "networks that give them"
        )
    return loader


def _views(sample: dict[str, Any]) -> list[dict[str, Any]]:
    """What mmcv's ``TestTimeAug`` has made of one sample, or the sample itself."""
    if not isinstance(sample["inputs"], list):
        return [sample]
    return [dict(zip(sample, values)) for values in zip(*sample.values())]


def _ask_packers(node: Any) -> None:
    """Have the transforms that pack samples keep what a caption tells."""
    if isinstance(node, dict):
        name = str(node.get("type", ""))
        if name.endswith(_PACKERS):
            default = inspect.signature(TRANSFORMS.get(name)).parameters["meta_keys"].default
            node["meta_keys"] = tuple(dict.fromkeys([*node.get("meta_keys", default), *TOLD]))
    if isinstance(node, (dict, list, tuple)):
        for child in node.values() if isinstance(node, dict) else node:
            _ask_packers(child)


def _encoder(cfg: Config) -> Encode | None:
    """What the network's codec makes of part boxes, if it has one."""
    codec = cfg.get("model", {}).get("codec")
    return None if codec is None else MODELS.build(codec).encode


def _write_picture(path: Path, picture: np.ndarray) -> None:
    # Not written by Pillow itself, whose errors do not tell a full disk.
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="JPEG", quality=92)
    write_whole(path, file.getvalue())
