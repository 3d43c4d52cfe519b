"""Records made by hand for the drawn data set: its annotation, with action and state scores that a test gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tpsparse.datasets.index import open_index
from tpsparse.structures import FrameParse, VideoParse

EVALUATED = (1, 6, 11)


@pytest.fixture
def make_record(tiny_root, tiny_taxonomy) -> Callable[..., VideoParse]:
    """A record of a video of the drawn data set.

    Persons and parts are those annotated, moved by ``shift`` pixels. Each state score is ``certain`` for the true state
    and what is left for the next in the list; the head's is ``head``.
    """
    truths = {}
    for split in ("train", "test"):
        index = open_index(tiny_root, split, tiny_taxonomy)
        truths.update({entry.name: index.ground_truth(i) for i, entry in enumerate(index.videos)})

    def make(
        video: str,
        scores: Mapping[str, Sequence[float]],
        *,
        certain: float = 1.0,
        head: float = 1.0,
        shift: float = 0.0,
        frames: Sequence[int] = EVALUATED,
    ) -> VideoParse:
        truth = truths[video]
        parsed = []
        for frame in truth.frames:
            if frame.frame_index not in frames:
                continue
            sure = np.full(frame.part_states.shape, certain)
            sure[:, 0] = head
            states = np.where(frame.part_states < 0, 0, frame.part_states)
            number = np.arange(3)
            given = np.where(states[..., None] == number, sure[..., None], 0)
            given = given + np.where((states[..., None] + 1) % 3 == number, 1 - sure[..., None], 0)
            given[frame.part_states < 0] = np.nan
            parsed.append(
                FrameParse(
                    frame.frame_index,
                    frame.boxes + np.float32(shift),
                    part_boxes=frame.part_boxes + np.float32(shift),
                    state_scores=given.astype(np.float32),
                )
            )
        named = {name: np.array(values, dtype=np.float32) for name, values in scores.items()}
        return VideoParse(video, truth.size, truth.num_frames, truth.fps, parsed, named)

    return make


@pytest.fixture
def save_records(tmp_path) -> Callable[..., Path]:
    """Write records into a folder of saved parses."""

    def save(name: str, records: Sequence[VideoParse]) -> Path:
        folder = tmp_path / name / "parses"
        for record in records:
            record.save(folder / f"{record.video}.safetensors")
        return folder

    return save
