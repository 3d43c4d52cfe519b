"""Where points are lost: the highest score minus the score, split over causes without a rest.

The score is a mean over videos (:func:`score_contributions`), so its distance to 0.9999 is a mean of losses. A video
whose action is wrong loses 0.9999 to its action, whatever its parts. Of any other video the PSC is a mean over frames
of a mean over annotated parts, so 1 - PSC splits over the annotated parts, each weighing 1 over the parts of its frame
and the counted frames; a part that is not right gives its weight to what became of it (:class:`Outcome`). What is left
is the remainder: thresholds are whole ten thousandths and 0 is none of them, so a video loses up to 0.0001 less than
1 - PSC; and where a part has several proposals, a right one earns only a share.

Parts of videos whose action is wrong cost nothing more, so a part's or a state's lost points are what a better part
stage would win with the actions as they are. How often each is right is counted over all videos.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...evaluation.functional import score_contributions
from ...evaluation.functional.outcomes import Outcome, PartOutcomes
from ...evaluation.functional.score import STEPS
from ...taxonomy import Taxonomy

HIGHEST = (STEPS - 1) / STEPS
CAUSES = ("action wrong", "person not found", "part not located", "state wrong", "remainder")
PART_CAUSES = CAUSES[1:4]
NO_PART = "(no annotated part)"
"""Frames that the prediction lacks and in which no part is annotated, but a person is."""

_CAUSE_OF = {
    Outcome.NO_PERSON: "person not found",
    Outcome.NOT_LOCATED: "part not located",
    Outcome.WRONG_STATE: "state wrong",
    Outcome.RIGHT: "remainder",
}


def per_cent(share: float, *, sign: bool = False) -> str:
    """A share as per cent with the two decimals of the challenge's scores; what rounds to 0 has no minus."""
    rounded = round(100 * share, 2) + 0.0
    return f"{rounded:+.2f}" if sign else f"{rounded:.2f}"


def video_losses(found: PartOutcomes, action_correct: bool) -> dict[str, float]:
    """What one video loses by cause; the sum is 0.9999 minus what it adds to the score."""
    losses = dict.fromkeys(CAUSES, 0.0)
    if not action_correct:
        losses["action wrong"] = HIGHEST
        return losses
    for outcome in Outcome:
        losses[_CAUSE_OF[outcome]] = float(found.losses[found.outcomes == outcome].sum())
    losses["person not found"] += found.frame_loss
    earned = float(score_contributions(np.array([found.psc]), np.array([True]))[0])
    losses["remainder"] = HIGHEST - earned - sum(losses[cause] for cause in PART_CAUSES)
    return losses


@dataclass
class Entry:
    """What one action, part or state loses, and how often it is right; losses are sums over videos until divided.

    Args:
        losses: By cause.
        annotated: Instances: videos of an action, annotated parts otherwise.
        located: Parts that a proposal reaches.
        right: Videos with the right action, or right parts.
    """

    losses: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0.0))
    annotated: int = 0
    located: int = 0
    right: int = 0

    @property
    def lost(self) -> float:
        """Points lost to all causes."""
        return sum(self.losses.values())


class PointTables:
    """Losses summed up video by video, and the two confusion matrices.

    ``total``, ``by_action``, ``by_part`` and ``by_state`` are divided by the number of videos when read through
    :meth:`table` and :meth:`totals`, so that they are points of the score.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.videos = 0
        self._total = dict.fromkeys(CAUSES, 0.0)
        self._tables: dict[str, dict[str, Entry]] = {"action": {}, "part": {}, "state": {}}
        self._actions: Counter[tuple[str, str]] = Counter()
        self._states: Counter[tuple[str, str]] = Counter()

    def add(self, found: PartOutcomes, action: str, predicted: str) -> None:
        """Count a video by what became of its parts, its annotated and its predicted action."""
        correct = action == predicted
        self.videos += 1
        self._actions[action, predicted] += 1
        entry = self._tables["action"].setdefault(action, Entry())
        entry.annotated, entry.right = entry.annotated + 1, entry.right + int(correct)
        for cause, loss in video_losses(found, correct).items():
            self._total[cause] += loss
            entry.losses[cause] += loss
        columns = zip(found.parts, found.states, found.outcomes.tolist(), found.losses.tolist(), found.found_states)
        for part, state, outcome, loss, given in columns:
            for table, name in (("part", part), ("state", state)):
                _count(self._tables[table].setdefault(name, Entry()), Outcome(outcome), loss if correct else 0.0)
            if given is not None:
                self._states[state, given] += 1
        if correct and found.frame_loss:
            for table in ("part", "state"):
                self._tables[table].setdefault(NO_PART, Entry()).losses["person not found"] += found.frame_loss

    def totals(self) -> dict[str, float]:
        """Points lost by cause; their sum is 0.9999 minus the score."""
        return {cause: loss / self.videos for cause, loss in self._total.items()}

    def table(self, kind: str) -> dict[str, Entry]:
        """By ``action``, ``part`` or ``state``, the most points lost first.

        The losses of a part or a state to its person, its place and its state sum up to those of :meth:`totals`.
        """
        divided = {
            name: Entry(
                {cause: loss / self.videos for cause, loss in e.losses.items()}, e.annotated, e.located, e.right
            )
            for name, e in self._tables[kind].items()
        }
        return dict(sorted(divided.items(), key=lambda item: (-item[1].lost, item[0])))

    def action_confusion(self) -> np.ndarray:
        """(A, A) videos by annotated action (rows) and predicted one, in the taxonomy's order."""
        return _matrix(self._actions, self.taxonomy.action_ids)

    def state_confusion(self) -> np.ndarray:
        """(S, S) located parts of matched persons by annotated state (rows) and that of their best proposal."""
        return _matrix(self._states, self.taxonomy.state_ids)

    def to_json(self) -> dict[str, Any]:
        """As files hold it; rows and columns without any count leave the confusion of states."""
        states = self.state_confusion()
        used = np.flatnonzero(states.sum(axis=0) + states.sum(axis=1))
        return {
            "lost_points": {"total": self.totals(), **{f"by_{kind}": _rows(self.table(kind)) for kind in self._tables}},
            "confusion": {
                "actions": {"names": list(self.taxonomy.actions), "counts": self.action_confusion().tolist()},
                "states": {
                    "names": [self.taxonomy.states[state] for state in used],
                    "counts": states[np.ix_(used, used)].tolist(),
                },
            },
        }


def _count(entry: Entry, outcome: Outcome, loss: float) -> None:
    entry.annotated += 1
    entry.located += int(outcome <= Outcome.WRONG_STATE)
    entry.right += int(outcome == Outcome.RIGHT)
    # What a right part loses to further proposals is in the remainder, which is known by video alone.
    if outcome != Outcome.RIGHT:
        entry.losses[_CAUSE_OF[outcome]] += loss


def _rows(table: dict[str, Entry]) -> list[dict[str, Any]]:
    return [
        {"name": name, "lost": e.lost, **e.losses, "annotated": e.annotated, "located": e.located, "right": e.right}
        for name, e in table.items()
    ]


def _matrix(counts: Counter[tuple[str, str]], ids: dict[str, int]) -> np.ndarray:
    matrix = np.zeros((len(ids), len(ids)), dtype=np.int64)
    for (true, given), count in counts.items():
        matrix[ids[true], ids[given]] += count
    return matrix


def most_confused(matrix: np.ndarray, names: Iterable[str], count: int) -> list[tuple[str, str, int]]:
    """The pairs off the diagonal that occur most often, as annotated and predicted name and number."""
    names = list(names)
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = zip(*np.unravel_index(order, wrong.shape))
    return [(names[i], names[j], int(wrong[i, j])) for i, j in pairs if wrong[i, j]]
