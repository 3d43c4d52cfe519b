"""Action instances, for temporal parsing. Shapes: T frames, D channels, B inner boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS
from ..base import SeededDataset
from ..instances import Instance, open_instances
from ..instances.layout import instance_file
from ..kept import Kept
from ..problems import Problem, ProblemLog
from .instance_features import check_files, read_features

TOLD = 50
"""Instances without a usable file that a run lists, of each reason; the others are counted."""


class InstanceDataset(SeededDataset):
    """Base of the data sets of action instances in TAPOS's layout.

    Args:
        data_root: A data set with ``tapos_annotation*.json``.
        split: TAPOS's subset, ``train``, ``val`` or ``test``.
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them. A label is an id in these, -1 if it is not among them.
        pipeline: Transforms of a sample, as configs.
    """

    needs_annotations = False
    # Neighbours are of one source video, which may have dozens of instances and spoil them all at once.
    max_tries = 1000

    def __init__(
        self, *, data_root: str, split: str, taxonomy: dict[str, list[str]], pipeline: list[dict[str, Any]]
    ) -> None:
        super().__init__(taxonomy=taxonomy, pipeline=pipeline)
        self.index = open_instances(data_root, split)
        self.problems.update(self.index.problems)
        self.instances: list[Instance] = list(self.index.instances)

    def __len__(self) -> int:
        return len(self.instances)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's source video."""
        names = np.array([instance.youtube_id for instance in self.instances])
        return np.unique(names, return_inverse=True)[1]

    def label(self, instance: Instance) -> int:
        """Id of an instance's action, -1 if unknown."""
        return self.taxonomy.action_ids.get(instance.action or "", -1)

    def keep(self, kept: Iterable[Instance], lost: Iterable[Problem], *, kind: str, remedy: str) -> None:
        """Go on with some of the instances; what is lost is told, the first ones by name.

        Args:
            kept: The usable ones.
            lost: Why each of the others is not.
            kind: What the usable ones have.
            remedy: What the user can do.

        Raises:
            InputError: If nothing is kept.
        """
        self.instances = list(kept)
        tell_lost(self.problems, list(lost), self.index.root, remedy)
        if not self.instances:
            self.problems.report("data set")
            raise InputError(f"{self.index.root} ({self.index.subset}) has no {kind}: {remedy}")


@DATASETS.register_module()
class TAPOSFeatureDataset(InstanceDataset):
    """Frame features of instances, as ``FrameEncoder`` has saved them, one file an instance.

    Before a run the headers of all files are read. An instance is left out, named and counted, whose file is missing,
    broken, of another length than the annotation, of another width D than most, or of another encoder than the
    folder's ``made_by.json``, since the channels of two networks mean different things. What is left out of a test is
    not judged by ``BoundaryMetric``, while ``tools/analysis/score_boundaries.py`` counts its boundaries as missed,
    which lowers recall there.

    Args:
        features: Folder of the features.
        max_frames: Of a longer instance a random stretch of this many frames is a sample, which bounds the memory that
            training takes. Not for testing. None takes whole instances.
        kwargs: As for :class:`InstanceDataset`.

    Raises:
        InputError: If no instance has usable features.
    """

    def __init__(self, *, features: str, max_frames: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_frames is not None and max_frames < 1:
            raise InputError(f"max_frames is {max_frames}: give at least 1, or None for whole instances")
        self.features, self.max_frames = Path(features), max_frames
        self._kept: Kept[np.ndarray] = Kept()
        self._leave_out_unusable()

    def _leave_out_unusable(self) -> None:
        files = [(self.file(instance), instance.num_frames) for instance in self.instances]
        checks = check_files(self.features, files)
        remedies = Counter(check.remedy for check in checks if check.fault)
        for remedy in remedies:
            lost = [
                Problem("instance", path, f"{check.fault}: {remedy}")
                for (path, _), check in zip(files, checks)
                if check.fault and check.remedy == remedy
            ]
            tell_lost(self.problems, lost, self.index.root, remedy)
        kept = [instance for instance, check in zip(self.instances, checks) if not check.fault]
        remedy = remedies.most_common(1)[0][0] if remedies else "use another split"
        self.keep(kept, [], kind="instance with features", remedy=remedy)

    def file(self, instance: Instance) -> Path:
        """Where the features of an instance lie."""
        return self.features / instance.youtube_id / f"{instance.name}.safetensors"

    def sample(self, index: int) -> dict[str, Any]:
        """``features`` (T, D) float32 and ``boundaries`` (B,) of an instance, with its label.

        Raises:
            InputError: If the features cannot be read, are not finite, or are not those of the annotated frames.
        """
        instance = self.instances[index]
        features = self._features_of(instance)
        boundaries = instance.boundaries
        if self.max_frames is not None and len(features) > self.max_frames:
            start = np.random.randint(len(features) - self.max_frames + 1)
            features = features[start : start + self.max_frames]
            boundaries = boundaries - start
            boundaries = boundaries[(boundaries > 0) & (boundaries < self.max_frames)]
        return dict(
            key=instance.key,
            features=features,
            boundaries=boundaries,
            label=self.label(instance),
            num_frames=len(features),
            fps=instance.fps or 0.0,
        )

    def _features_of(self, instance: Instance) -> np.ndarray:
        """All features (T, D) of an instance, the sample's own."""
        kept = self._kept.get(instance.key)
        if kept is None:
            kept = read_features(self.file(instance), instance.num_frames)
            self._kept.keep(instance.key, kept, kept.nbytes)
        return kept.copy()


@DATASETS.register_module()
class TAPOSInstanceDataset(InstanceDataset):
    """Whole cut instances for a run that encodes their frames; files that cannot be read are for that run to tell.

    Args:
        kwargs: As for :class:`InstanceDataset`, without a pipeline.

    Raises:
        InputError: If no instance has a video.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pipeline=[], **kwargs)
        keep_cut(self)

    def sample(self, index: int) -> dict[str, Any]:
        """The key of an instance and the path of its video."""
        instance = self.instances[index]
        return dict(key=instance.key, video=str(self.index.video(instance)))


def tell_lost(problems: ProblemLog, lost: list[Problem], root: Path, remedy: str) -> None:
    """Tell what is left out for one reason: the first ones by name, how many others there are, and the remedy."""
    problems.update(lost[:TOLD])
    if len(lost) > TOLD:
        problems.add("others", root, f"has {len(lost) - TOLD} more of these: {remedy}")


def keep_cut(dataset: InstanceDataset) -> None:
    """Leave out the instances whose video is not there.

    Raises:
        InputError: If that is all of them.
    """
    kept, lost = [], []
    for instance in dataset.instances:
        try:
            dataset.index.video(instance)
            kept.append(instance)
        except InputError as error:
            path = instance_file(dataset.index.root, instance.key)
            lost.append(Problem("instance", path, str(error).removeprefix(f"{path} ")))
    dataset.keep(kept, lost, kind="cut instance", remedy=f"run tools/prepare_data.py tapos cut {dataset.index.root}")
