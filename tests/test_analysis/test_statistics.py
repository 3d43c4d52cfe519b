from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tpsparse.analysis.statistics import HEIGHT_BINS, MOST_PERSONS, QUANTILES, dataset_statistics
from tpsparse.datasets.index import open_index
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "lift", "swing"),
    actions=("hurling_(sport)", "lunge", "push_up"),
    objects=("bat", "ball"),
)


def make_index(videos, frames, persons, parts, objects, chosen=None):
    """An index of plain lists, with the rows of all tables in ``chosen`` or simply all.

    Args:
        videos: (action, frames, height, fps) each.
        frames: The video's position, -1 for one of another split.
        persons: (frame, box) each.
        parts: (person, part, state, box) each.
        objects: (frame, object) each.
        chosen: Frame, person, part and object rows of the split.
    """
    rows = chosen or tuple(np.arange(len(table)) for table in (frames, persons, parts, objects))
    column = {name: [row[i] for row in parts] for i, name in enumerate(("person", "part", "state", "box"))}
    return SimpleNamespace(
        taxonomy=TAXONOMY,
        videos=[
            SimpleNamespace(
                action=action, num_frames=count, size=(height, 100), fps=fps, path=Path(f"root/x/v ({i}) ü.mp4")
            )
            for i, (action, count, height, fps) in enumerate(videos)
        ],
        frames=np.asarray(rows[0], dtype=np.int64),
        persons=np.asarray(rows[1], dtype=np.int64),
        parts=np.asarray(rows[2], dtype=np.int64),
        objects=np.asarray(rows[3], dtype=np.int64),
        frame_video=np.array(frames, dtype=np.int32),
        person_frame=np.array([frame for frame, _ in persons], dtype=np.int32),
        boxes=np.array([box for _, box in persons], dtype=np.float32).reshape(-1, 4),
        part_person=np.array(column["person"], dtype=np.int32),
        part_id=np.array(column["part"], dtype=np.int64),
        state_id=np.array(column["state"], dtype=np.int64),
        part_box=np.array(column["box"], dtype=np.float32).reshape(-1, 4),
        object_frame=np.array([frame for frame, _ in objects], dtype=np.int32),
        object_id=np.array([kind for _, kind in objects], dtype=np.int64),
    )


def square(side: float) -> list[float]:
    return [5, 5, 5 + side, 5 + side]


@pytest.fixture
def small():
    """Two videos; a third frame row and its person, part and object belong to another split."""
    return dataset_statistics(
        make_index(
            videos=[(1, 50, 200, 25.0), (0, 30, 100, 0.0)],
            frames=[0, 0, -1, 1],
            persons=[(0, square(10)), (0, square(100)), (2, square(7)), (3, square(99.9))],
            parts=[
                (0, 0, 1, square(4)),
                (0, 2, 1, square(16)),
                (1, 0, 3, square(9)),
                (2, 0, 2, square(9)),
                (3, 0, 1, square(1)),
            ],
            objects=[(0, 1), (1, -1), (2, 0), (3, 1)],
            chosen=([0, 1, 3], [0, 1, 3], [0, 1, 2, 4], [0, 1, 3]),
        )
    )


class TestByHand:
    def test_videos(self, small):
        videos = small.videos
        assert videos.keys == ["lunge/v (0) ü.mp4", "hurling_(sport)/v (1) ü.mp4"]
        assert videos.lengths.tolist() == [50, 30] and videos.seconds.tolist() == [2.0, 0.0]
        assert videos.frames.tolist() == [2, 1] and videos.persons.tolist() == [2, 1]
        assert videos.parts.tolist() == [3, 1] and videos.objects.tolist() == [2, 1]

    @pytest.mark.parametrize(
        ("column", "counts"),
        [
            ("keys", [1, 1, 0]),
            ("frames", [1, 2, 0]),
            ("persons", [1, 2, 0]),
            ("parts", [1, 3, 0]),
            ("objects", [1, 2, 0]),
        ],
    )
    def test_by_action(self, small, column, counts):
        assert small.videos.by_action(column, 3).tolist() == counts

    def test_pairs(self, small):
        expected = np.zeros((3, 3, 4), dtype=int)
        expected[1, 0, 1] = expected[1, 2, 1] = expected[1, 0, 3] = expected[0, 0, 1] = 1
        assert (small.pairs == expected).all()
        assert small.part_states.tolist() == [[0, 2, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]]
        assert small.states.tolist() == [0, 3, 0, 1]

    def test_objects_with_an_unknown_one(self, small):
        assert small.objects.tolist() == [0, 2, 1]

    def test_crowds(self, small):
        assert small.frame_persons.tolist() == [1, 1, 1] + [0] * 8
        assert small.person_parts.tolist() == [0, 2, 1, 0]

    def test_heights(self, small):
        """10 and 100 of 200 pixels, and 99.9 of 100: twentieths 1, 10 and 19."""
        assert np.flatnonzero(small.person_heights).tolist() == [1, 10, 19] and small.person_heights.sum() == 3

    def test_sizes(self, small):
        assert small.person_sizes.classes.tolist() == [1, 0, 2]
        assert small.person_sizes.quantiles[2] == pytest.approx(99.9, abs=1e-4)
        head, left, right = small.part_sizes
        assert head.quantiles[2] == pytest.approx(4) and head.classes.tolist() == [3, 0, 0]
        assert np.isnan(left.quantiles).all() and left.classes.tolist() == [0, 0, 0]
        assert right.quantiles.tolist() == pytest.approx([16] * len(QUANTILES))


@pytest.mark.parametrize(("side", "expected"), [(31.9, 0), (32, 1), (95.9, 1), (96, 2)])
def test_borders_of_sizes(side, expected):
    index = make_index([(0, 1, 200, 25.0)], [0], [(0, [0, 0, side, side])], [], [])
    assert dataset_statistics(index).person_sizes.classes.argmax() == expected


@pytest.mark.parametrize(("count", "place"), [(9, 9), (10, 10), (11, 10)])
def test_crowded_frames_are_counted_together(count, place):
    index = make_index([(0, 1, 200, 25.0)], [0], [(0, square(5))] * count, [], [])
    counts = dataset_statistics(index).frame_persons
    assert counts[place] == 1 and counts.sum() == 1 and len(counts) == MOST_PERSONS + 1


@pytest.mark.parametrize(("top", "bottom", "place"), [(0, 100, 19), (-50, 100, 19), (0, 5, 1), (0, 4.9, 0)])
def test_heights_at_the_borders(top, bottom, place):
    index = make_index([(0, 1, 100, 25.0)], [0], [(0, [0, top, 10, bottom])], [], [])
    heights = dataset_statistics(index).person_heights
    assert heights.tolist() == [int(i == place) for i in range(HEIGHT_BINS)]


def test_nothing_annotated():
    statistics = dataset_statistics(make_index([(0, 10, 100, 25.0)], [], [], [], []))
    assert statistics.pairs.shape == (3, 3, 4) and statistics.pairs.sum() == 0
    assert statistics.videos.frames.tolist() == [0] and statistics.frame_persons.sum() == 0
    assert np.isnan(statistics.person_sizes.quantiles).all()


def test_like_a_plain_loop():
    rng = np.random.default_rng(0)
    videos = [(int(rng.integers(3)), 40, 120, 20.0) for _ in range(6)]
    frames = rng.integers(-1, 6, 50).tolist()
    persons = [(int(rng.integers(50)), square(float(rng.uniform(1, 150)))) for _ in range(200)]
    parts = [
        (int(rng.integers(200)), int(rng.integers(3)), int(rng.integers(4)), square(float(rng.uniform(1, 120))))
        for _ in range(900)
    ]
    inside = [frame for frame, video in enumerate(frames) if video >= 0]
    people = [person for person, (frame, _) in enumerate(persons) if frames[frame] >= 0]
    limbs = [part for part, (person, *_) in enumerate(parts) if frames[persons[person][0]] >= 0]
    statistics = dataset_statistics(make_index(videos, frames, persons, parts, [], (inside, people, limbs, [])))
    pairs = np.zeros((3, 3, 4), dtype=int)
    for person, part, state, _ in (parts[row] for row in limbs):
        pairs[videos[frames[persons[person][0]]][0], part, state] += 1
    assert (statistics.pairs == pairs).all()
    for part in range(3):
        sides = [parts[row][3][2] - 5 for row in limbs if parts[row][1] == part]
        lower, upper = np.quantile(sides, 0.45), np.quantile(sides, 0.55)
        assert lower <= statistics.part_sizes[part].quantiles[2] <= upper


def test_of_the_drawn_data_set(tiny_root, tiny_taxonomy, drawn):
    """Two videos of 12 frames an action; push_up has two persons, the right arm is hidden in every fourth frame."""
    statistics = dataset_statistics(open_index(tiny_root, "train", tiny_taxonomy))
    assert statistics.videos.by_action("frames", 3).tolist() == [24, 24, 24]
    assert statistics.videos.by_action("persons", 3).tolist() == [24, 24, 48]
    assert statistics.videos.by_action("parts", 3).tolist() == [24 * 3 - 6, 24 * 3 - 6, 48 * 3 - 12]
    assert statistics.videos.seconds.tolist() == pytest.approx([drawn.NUM_FRAMES / drawn.FPS] * 6)
    assert statistics.part_states[0].tolist() == [96, 0, 0]
    assert statistics.part_states[1].tolist() == [0, 64, 32]  # the left arm lifts after frame 8 of 12
    assert statistics.person_parts.tolist() == [0, 0, 24, 72]
    assert statistics.person_sizes.quantiles.tolist() == pytest.approx([np.sqrt(20 * 40)] * 5)
