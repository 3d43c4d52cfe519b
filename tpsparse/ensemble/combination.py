"""A whole split combined: records, submission, score with its interval, and what each member would have scored alone.

Shapes: V videos, M members, A actions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..errors import InputError
from ..evaluation.functional import difference_interval, evaluate, score_contributions, score_interval
from ..evaluation.metrics import KineticsTPSMetric
from ..evaluation.submission import part_result_of, part_truth_of, video_result_of, video_truth_of
from ..structures import VideoParse
from ..structures.files import write_json
from ..taxonomy import Taxonomy
from .fitting import Votes
from .members import Member, Videos
from .records import combine_records, vote

RECORDS = Path("parses") / "test"
REPORT = "ensemble.json"


@dataclass(frozen=True)
class Outcome:
    """What a combination found.

    Args:
        metrics: The challenge's numbers; of videos without annotated persons top-1 alone, or nothing.
        reported: Numbers of the members, of equal weights and of the ensemble over the videos, as
            :meth:`Votes.numbers` gives them; None where no action is known.
        scores: ``ensemble``, ``members``, ``best`` (position of the best member) and ``difference`` to it, intervals
            as plain data; None where nothing is annotated.
        other_people: System to the videos in which it found other people than the first.
        failed: Member to video to why it has no vote on it.
        lost: Videos on which no member has a vote.
    """

    metrics: dict[str, float]
    reported: dict[str, Any] | None
    scores: dict[str, Any] | None
    other_people: dict[str, list[str]]
    failed: dict[str, dict[str, str]]
    lost: list[str]

    def notes(self) -> list[str]:
        """What the user is to be told, a line each."""
        kept = "their states are the first member's alone"
        lines = [
            f"{folder} found other people in {len(videos)} videos: {kept}"
            for folder, videos in self.other_people.items()
        ]
        for member, videos in self.failed.items():
            video, reason = next(iter(videos.items()))
            lines.append(f"{member} has no vote on {len(videos)} videos, such as {video} ({reason})")
        if self.lost:
            lines.append(f"no member has a vote on {len(self.lost)} videos, such as {self.lost[0]}")
        return lines


class Combination:
    """Members and weights, applied to the videos of a split.

    Args:
        members: At least one.
        weights: (M,), summing to 1.
        videos: Those that are reported.
        state_weights: One a system, in the order of its first member; by default the mean of its members' weights,
            so that a system counts no more for being listed often.

    Raises:
        InputError: If a member has no record of any of the videos.
    """

    def __init__(
        self,
        members: Sequence[Member],
        weights: np.ndarray,
        videos: Videos,
        *,
        state_weights: Sequence[float] | None = None,
    ) -> None:
        self.members, self.weights, self.videos = list(members), weights, videos
        systems: dict[Path, Member] = {}
        for member in self.members:
            systems.setdefault(member.system, member)
        self.systems = list(systems.values())  # in the order in which they first appear
        self.system_of = [self._position(member) for member in self.members]
        means = [weights[[s == i for s in self.system_of]].mean() for i in range(len(self.systems))]
        self.state_weights = [float(weight) for weight in (means if state_weights is None else state_weights)]
        for system in self.systems:
            if not videos.rows.keys() & system.files.keys():
                raise InputError(f"{system.folder} has no record of split {videos.split}: give its own --split")
        self._failed: dict[str, dict[str, str]] = {}
        self._other_people: dict[str, list[str]] = {}
        self._lost: list[str] = []
        self._votes: list[list[np.ndarray]] = []
        self._actions: list[int] = []
        # Of the ensemble, then of each member: video to what it adds to the score.
        self._gains: list[dict[str, float]] = [{} for _ in range(1 + len(self.members))]

    def run(self, out: str | Path) -> Outcome:
        """Combine every video; write records, submission and ``report.json`` into ``out``.

        Raises:
            InputError: If ``out`` is where a member's records are, or records are of another data set.
        """
        folder = Path(out) / RECORDS
        if folder.resolve() in [system.system for system in self.systems]:
            raise InputError(f"{folder} holds the records of a member: give another --out")
        metadata = dict(ensemble=json.dumps(self.recipe(), ensure_ascii=False))
        metric = KineticsTPSMetric(taxonomy=self._taxonomy.to_meta(), out_dir=str(out))
        for video in tqdm(self.videos.rows, desc="combine", unit="video"):
            truth = self.videos.truth(video)
            parse = self._combine(video, truth)
            parse.save(folder / f"{video}.safetensors", metadata)
            metric.process(dict(ground_truth=[truth], action=[self._action(video)]), [parse])
        return Outcome(
            metrics=metric.evaluate(len(self.videos.rows)),
            reported=Votes(np.array(self._votes), np.array(self._actions)).numbers(self.weights)
            if self._votes
            else None,
            scores=self._scores(),
            other_people=self._other_people,
            failed=self._failed,
            lost=self._lost,
        )

    def recipe(self) -> dict[str, Any]:
        """Members and weights as files hold them; ``EnsembleActions`` reads those of one system."""
        members = [
            dict(folder=str(member.folder), source=member.source, weight=float(weight))
            for member, weight in zip(self.members, self.weights)
        ]
        folders = (str(system.folder) for system in self.systems)
        return dict(members=members, state_weights=dict(zip(folders, self.state_weights)))

    def _action(self, video: str) -> int:
        action = self.videos.action(video)
        return -1 if action is None else action

    @property
    def _taxonomy(self) -> Taxonomy:
        return self.videos.taxonomy

    def _position(self, member: Member) -> int:
        return next(i for i, system in enumerate(self.systems) if system.system == member.system)

    def _combine(self, video: str, truth: VideoParse | None) -> VideoParse:
        records = [system.load(video) for system in self.systems]
        num_actions = len(self._taxonomy.actions)
        scores = [m.scores(records[i], num_actions) for m, i in zip(self.members, self.system_of)]
        for member, position, each in zip(self.members, self.system_of, scores):
            if each is None:
                reason = records[position].error or f"its record has no {member.source} scores"
                self._failed.setdefault(str(member), {})[video] = reason
        psc = [0.0 if truth is None else self._psc(truth, record) for record in records]
        parse, others = combine_records(records, vote(scores, self.weights.tolist()), self.state_weights)
        for position in others:
            self._other_people.setdefault(str(self.systems[position].folder), []).append(video)
        if all(each is None for each in scores):
            self._lost.append(video)
        if truth is not None:
            # As in a submission, which holds the first action of the list where there is none.
            guesses = [parse.action() or 0, *(0 if each is None else int(each.argmax()) for each in scores)]
            of_parts = [self._psc(truth, parse), *(psc[position] for position in self.system_of)]
            for gains, guess, value in zip(self._gains, guesses, of_parts):
                right = np.array([guess == truth.action()])
                gains[video] = float(score_contributions(np.array([value]), right)[0])
        action = self.videos.action(video)
        if action is not None:
            nothing = np.full(num_actions, 1 / num_actions)
            self._votes.append([nothing if each is None else each for each in scores])
            self._actions.append(action)
        return parse

    def _psc(self, truth: VideoParse, parse: VideoParse) -> float:
        names = self._taxonomy
        truths = part_truth_of([truth], names), video_truth_of([truth], names)
        result = evaluate(*truths, part_result_of([parse], names), video_result_of([parse], names))
        return result.psc[truth.video]

    def _scores(self) -> dict[str, Any] | None:
        own, *members = self._gains
        if not own:
            return None
        means = [float(np.mean(list(gains.values()))) for gains in members]
        best = int(np.argmax(means))
        return dict(
            ensemble=score_interval(own).to_json(),
            members=[score_interval(gains).to_json() for gains in members],
            best=best,
            difference=difference_interval(own, members[best]).to_json(),
        )


def write_recipe(out: str | Path, combination: Combination, outcome: Outcome, found: dict[str, Any]) -> None:
    """Write ``ensemble.json``: members, weights, how they were found, and the numbers.

    Args:
        out: The folder.
        combination: What was combined.
        outcome: What came of it.
        found: How the weights were found, as plain data.
    """
    content = dict(
        combination.recipe(),
        weights=found,
        split=combination.videos.split,
        metrics=outcome.metrics,
        reported=outcome.reported,
        scores=outcome.scores,
        other_people=outcome.other_people,
        failed=outcome.failed,
    )
    write_json(Path(out) / REPORT, content)
