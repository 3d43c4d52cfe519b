from pathlib import Path

import bodies
import numpy as np
import pytest
from made_clips import make_video

from tpsparse.annotation import review
from tpsparse.annotation.labels import label_clip
from tpsparse.annotation.parts import PARTS
from tpsparse.annotation.rules import read_rules
from tpsparse.datasets.video import Video
from tpsparse.structures import VideoParse
from tpsparse.taxonomy import Taxonomy


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[VideoParse]:
    """The records that were drawn, instead of pictures of them."""
    records: list[VideoParse] = []
    monkeypatch.setattr(review, "write_overlay", lambda path, frames, parse, taxonomy, fps: records.append(parse))
    return records


def test_rows_are_the_numbers_of_persons(tmp_path: Path, drawn: list[VideoParse]) -> None:
    rules = read_rules()
    taxonomy = Taxonomy(parts=PARTS, states=rules.states, actions=("run", "walk"))
    video = Video(make_video(tmp_path / "a.mp4", 2))
    track = bodies.track([bodies.pose(bodies.hanging(), score=0.2)], number=3, first=2)
    frames = label_clip([track], rules, num_frames=2, size=(400, 400), fps=10.0)
    review.write_review(tmp_path / "r.mp4", video, frames, taxonomy, action="walk")
    [parse] = drawn
    assert parse.action() == 1 and [len(frame) for frame in parse.frames] == [0, 3]
    frame = parse.frames[1]
    assert np.isnan(frame.boxes[:2]).all()
    np.testing.assert_allclose(frame.boxes[2], frames[1][0].box)
    assert taxonomy.states[frame.part_states[2, taxonomy.part_ids["left_leg"]]] == "stand"
    assert frame.scores[2] >= 0.3, "pictures leave out persons below that, and rows would move up"
    np.testing.assert_allclose(frame.keypoints[2, 0, :2], frames[1][0].keypoints[0, :2])


def test_the_picture_shows_the_person(tmp_path: Path) -> None:
    rules = read_rules()
    taxonomy = Taxonomy(parts=PARTS, states=rules.states, actions=("walk",))
    video = Video(make_video(tmp_path / "ä (1).mp4", 2, size=(480, 640)))
    track = bodies.track([bodies.pose(bodies.hanging(), at=(320, 200))], number=1, first=2)
    frames = label_clip([track], rules, num_frames=2, size=video.size, fps=video.fps)
    review.write_review(tmp_path / "review" / "ä (1).mp4", video, frames, taxonomy, action="walk")
    empty, shown = (image.astype(int) for _, image in Video(tmp_path / "review" / "ä (1).mp4").decode())
    changed = np.abs(empty - shown).max(axis=2) > 40
    ys, xs = np.nonzero(changed)
    assert 200 <= xs.min() <= 320 <= xs.max() and changed.sum() > 500
