"""Clips fed by the one pass over a video: each batch as soon as its frames are there, nothing held longer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tpsparse.parsing.base import Stage
from tpsparse.parsing.clips import ClipBatch, ClipPlan, ClipStage, HeldFrames
from tpsparse.parsing.parser import _groups
from tpsparse.parsing.passes import MOST_FRAMES, WINDOW_BYTES, run_pass, window_length
from tpsparse.parsing.preparation.clips import ClipPreparation
from tpsparse.structures import FrameParse, VideoParse


class Clip:
    """Frame n is filled with n."""

    size, name = (2, 3), "clip"

    def __init__(self, num_frames=12):
        self.num_frames, self.passes, self.asked = num_frames, 0, []

    def frames(self, numbers):
        self.asked.append(list(numbers))
        return np.stack([np.full((*self.size, 3), number, dtype=np.uint8) for number in numbers])

    def windows(self, numbers, room):
        self.passes += 1
        for start in range(0, len(numbers), room):
            there = numbers[start : start + room]
            yield np.stack([np.full((*self.size, 3), number, dtype=np.uint8) for number in there])


class Sums(ClipStage):
    """The sum of the numbers of a batch's frames."""

    def __init__(self, *batches):
        self.batches = [ClipBatch([{}], list(numbers)) for numbers in batches]
        self.seen = []

    def clip_batches(self, video):
        return list(self.batches)

    def classify(self, batch, source):
        frames = source.frames(batch.numbers) if batch.numbers else np.zeros((0, 1, 1, 1))
        self.seen.append(frames[:, 0, 0, 0].tolist())
        return int(frames[:, 0, 0, 0].sum())

    def preparation(self):
        return None

    def write(self, video, parse, results):
        parse.features["sums"] = np.array(results)


class Marks(Stage):
    """One person a frame, at the brightness of the frame."""

    gives = ("boxes",)

    def parse_frames(self, images, frames):
        for image, frame in zip(images, frames, strict=True):
            frame.boxes = np.full((1, 4), image[0, 0, 0], dtype=np.float32)
            frame.scores = np.ones(1, dtype=np.float32)


def record(numbers) -> VideoParse:
    return VideoParse("clip", frames=[FrameParse(number, np.zeros((0, 4))) for number in numbers])


@pytest.mark.parametrize("batch_frames", [1, 3, 8])
def test_frames_and_clips_share_one_pass(batch_frames):
    video, clips, parse = Clip(), Sums([1, 4, 5], [5, 9]), record([1, 6, 11])
    run_pass([Marks(), clips], video, parse, batch_frames=batch_frames)
    assert [frame.boxes[0, 0] for frame in parse.frames] == [1, 6, 11]
    assert parse.features["sums"].tolist() == [10, 14] and clips.seen == [[1, 4, 5], [5, 9]]
    assert video.passes == 1 and video.asked == []


def test_clips_alone_need_no_other_frames():
    video, parse = Clip(), record([1, 6])
    run_pass([Sums([2, 3])], video, parse, batch_frames=4)
    assert parse.features["sums"].tolist() == [5] and len(parse.frames[0]) == 0


def test_clips_that_read_for_themselves_are_seen_at_the_end():
    video, parse = Clip(), record([1])
    run_pass([Marks(), Sums([])], video, parse, batch_frames=4)
    assert parse.features["sums"].tolist() == [0]


def test_frames_are_dropped_when_no_clip_needs_them_any_more():
    video, stage = Clip(), Sums([1, 2], [2, 5], [11])
    plan = ClipPlan([stage], video)
    assert plan.wanted() == {1, 2, 5, 11}
    plan.see([1, 2, 3], video.frames([1, 2, 3]))
    assert stage.seen == [[1, 2]] and sorted(plan.held[None]._held) == [2] and plan.wanted() == {2, 5, 11}
    plan.see([5, 6], video.frames([5, 6]))
    assert stage.seen == [[1, 2], [2, 5]] and sorted(plan.held[None]._held) == []


def test_frames_nobody_announced_are_read_from_the_video():
    video = Clip()
    held = HeldFrames(video)
    held.keep([1, 2], video.frames([1, 2]), {2})
    video.asked.clear()
    assert held.frames([2, 2])[:, 0, 0, 0].tolist() == [2, 2] and video.asked == []
    assert held.frames([2, 7])[:, 0, 0, 0].tolist() == [2, 7] and video.asked == [[2, 7]]


def test_a_stage_by_itself_reads_the_video():
    video, parse, stage = Clip(), record([]), Sums([3, 4])
    stage.parse_video(video, parse)
    assert parse.features["sums"].tolist() == [7] and video.asked == [[3, 4]]


@pytest.mark.parametrize(
    ("size", "batch", "expected"),
    [
        ((100, 100), 8, MOST_FRAMES),
        ((100, 100), 60, 60),
        ((100, 100), 100, MOST_FRAMES),
        ((1080, 1920), 8, WINDOW_BYTES // (1080 * 1920 * 3) // 8 * 8),
        ((4320, 7680), 8, 1),
        ((10**5, 10**5), 8, 1),
    ],
    ids=["small", "batch of 60", "batch too large", "full HD", "8K", "enormous"],
)
def test_a_window_is_of_whole_batches(size, batch, expected):
    assert window_length(size, batch) == expected


class Whole(Stage):
    def parse_video(self, video, parse):
        pass


MARKS, MORE, CLIPS, STATES, WHOLE, READ = Marks(), Marks(), Sums(), Sums(), Whole(), Whole()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([], []),
        ([WHOLE], [[WHOLE]]),
        ([MARKS, MORE, WHOLE], [[MARKS, MORE, WHOLE]]),
        ([READ, MARKS], [[READ], [MARKS]]),
        ([MARKS, WHOLE, MORE], [[MARKS, WHOLE], [MORE]]),
        ([MARKS, CLIPS, WHOLE, STATES, READ], [[STATES, MARKS, CLIPS, WHOLE], [READ]]),
        ([READ, CLIPS, WHOLE], [[READ], [CLIPS, WHOLE]]),
    ],
    ids=["none", "rule", "neighbours", "read first", "behind a rule", "clips of later stages", "clips alone"],
)
def test_the_video_is_decoded_once_where_that_can_be(row, expected):
    assert _groups(row) == expected


def test_frames_are_held_as_the_network_sees_them(monkeypatch):
    """A frame of full size is many times as large; stages that see frames alike hold them once."""
    small = ClipPreparation((3, 2), keep_ratio=False, crop=None, crop_size=None, shape="NCHW", meta_keys=("label",))
    clips = replace(small, shape="NCTHW", meta_keys=())
    other = replace(small, scale=(6, 4))
    assert small.of_frames() == clips.of_frames() != other.of_frames()
    video = Clip()
    stages = [Sums([1, 2], [2, 5]), Sums([2, 9]), Sums([1])]
    for stage, kind in zip(stages, (small, clips, other)):
        monkeypatch.setattr(stage, "preparation", kind.of_frames)
        monkeypatch.setattr(stage, "classify", lambda batch, source: source.prepared(batch.numbers).shape)
    plan = ClipPlan(stages, video)
    plan.see([1, 2, 3], video.frames([1, 2, 3]))
    first, second = plan.held.values()
    assert sorted(first._held) == [2] and not second._held
    assert first._held[2].shape == (1, 3, 2, 3) and first._held[2].untyped_storage().nbytes() == 18
    plan.see([5, 9], video.frames([5, 9]))
    assert plan.results == {0: [(2, 1, 3, 2, 3)] * 2, 1: [(2, 1, 3, 2, 3)], 2: [(1, 1, 3, 4, 6)]}
    assert len(plan.held) == 2 and not first._held


def test_held_frames_prepared_or_not():
    video = Clip()
    kind = ClipPreparation((3, 2), keep_ratio=False, crop=None, crop_size=None, shape="", meta_keys=())
    held = HeldFrames(video, kind)
    held.keep([1, 2], video.frames([1, 2]), {2})
    video.asked.clear()
    assert held.prepared([2, 2])[:, 0, 0, 0, 0].tolist() == [2, 2] and video.asked == []
    assert held.prepared([2, 7])[:, 0, 0, 0, 0].tolist() == [2, 7] and video.asked == [[2, 7]]
    assert held.frames([2])[0, 0, 0, 0] == 2 and video.asked[1:] == [[2]]  # as they are, they are read again
    with pytest.raises(ValueError, match="frames are held as they are"):
        HeldFrames(video).prepared([2])
