"""What votes in an ensemble: folders of saved parses, each with the action scores that are taken; and on which videos.

Shape: A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..datasets.tasks import VideoDataset
from ..errors import InputError
from ..structures import VideoParse
from ..taxonomy import Taxonomy

OWN = "action"
"""Where a record keeps its system's own action scores."""
SUM_TOLERANCE = 1e-3
"""By how much the sum of probabilities may differ from 1, as those of half precision do."""


@dataclass(frozen=True)
class Member:
    """One vote: a folder of saved parses and the action scores that are taken from them."""

    folder: Path
    source: str = OWN

    @classmethod
    def read(cls, text: str, source: str = OWN) -> Member:
        """A member from ``FOLDER`` or ``FOLDER:SOURCE``; ``source`` is what is taken where the text names none.

        Raises:
            InputError: If there is no such folder, or no record in it.
        """
        folder, colon, named = text.rpartition(":")
        if Path(text).is_dir() or not colon:
            folder, named = text, source
        if not Path(folder).is_dir():
            raise InputError(f"{text} is no folder of saved parses: give FOLDER or FOLDER:SOURCE")
        member = cls(Path(folder), named)
        if not member.files:
            raise InputError(f"{folder} has no saved parse (*.safetensors): give a folder such as RUN/parses/test")
        return member

    def __str__(self) -> str:
        return f"{self.folder}:{self.source}"

    @property
    def system(self) -> Path:
        """The folder however it was written: what members of one system have in common."""
        return self.folder.resolve()

    @cached_property
    def files(self) -> dict[str, Path]:
        """Video to its record."""
        found = sorted(self.folder.glob("*.safetensors"))
        return {path.stem: path for path in found if not path.name.startswith(".")}

    def load(self, video: str) -> VideoParse:
        """The record of a video; a missing or broken one is a record with an ``error``, as a failed run leaves it."""
        if video not in self.files:
            return VideoParse(video, error=f"{self.folder / video}.safetensors is missing: parse the video again")
        try:
            parse = VideoParse.load(self.files[video])
        except InputError as error:
            return VideoParse(video, error=str(error))
        if parse.video != video:
            told = f"{self.files[video]} is the record of {parse.video}: name it by its video"
            return VideoParse(video, error=told)
        return parse

    def scores(self, parse: VideoParse, num_actions: int) -> np.ndarray | None:
        """(A,) probabilities of the member's source in a record; None where it gives none.

        Raises:
            InputError: If they are of another list of actions or are no probabilities.
        """
        scores = None if parse.error is not None else parse.action_scores.get(self.source)
        if scores is None:
            return None
        path = self.files[parse.video]
        if scores.shape != (num_actions,):
            raise InputError(
                f"{path} has {self.source} scores of shape {scores.shape} for {num_actions} actions: "
                "combine records of one data set"
            )
        if not np.isfinite(scores).all() or scores.min() < 0:
            raise InputError(f"{path} has {self.source} scores that are no probabilities: parse the video again")
        total = float(scores.sum())
        if abs(total - 1) > SUM_TOLERANCE:
            told = f"{path} has {self.source} scores that sum to {total:.4g} and are no probabilities"
            raise InputError(f"{told}: let the system save those of a softmax and parse the video again")
        return scores

    def check_source(self) -> None:
        """Refuse a source that no record has.

        Raises:
            InputError: Naming the sources that there are.
        """
        known: set[str] = set()
        for video in self.files:
            known.update(self.load(video).action_scores)
            if self.source in known:
                return
        given = ", ".join(sorted(known)) or "none, all videos have failed"
        raise InputError(
            f"{self.folder} has no action scores named {self.source}: give one of those there are ({given})"
        )


def read_members(texts: Sequence[str]) -> list[Member]:
    """Members as the command line gives them.

    Raises:
        InputError: If one cannot be used or is given twice.
    """
    members: list[Member] = []
    for text in texts:
        member = Member.read(text)
        # Members of one system are told by one spelling of its folder.
        twin = next((other for other in members if other.system == member.system), None)
        member = member if twin is None else Member(twin.folder, member.source)
        if member in members:
            raise InputError(f"{member} is given twice: give it once, with its weight")
        member.check_source()
        members.append(member)
    return members


class Videos:
    """The videos of one split, with their actions and what is annotated of them.

    Args:
        data_root: A data set in the official layout.
        split: ``train``, ``test``, or a named split such as ``dap/val``.

    Raises:
        InputError: If the lists or the split cannot be read.
    """

    def __init__(self, data_root: str | Path, split: str) -> None:
        self.split = split
        self.taxonomy = Taxonomy.from_root(data_root)
        self._data = VideoDataset(data_root=str(data_root), split=split, taxonomy=self.taxonomy.to_meta())
        self.rows: dict[str, int] = {}
        for row, path in enumerate(self._data.paths):
            self.rows.setdefault(path.stem, row)  # of two of one name, the index has put the second among the broken

    def action(self, video: str) -> int | None:
        """Id of a video's action, which its folder names also where nothing is annotated; None for an unknown one."""
        return self.taxonomy.action_ids.get(self._data.paths[self.rows[video]].parent.name)

    def truth(self, video: str) -> VideoParse | None:
        """What is annotated of a video, or None."""
        return self._data.sample(self.rows[video])["ground_truth"]
