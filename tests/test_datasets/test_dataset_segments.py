"""Videos cut into segments, and their labels, by hand and against a plain loop. M segments, S states."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import make_index
from mmaction.datasets.transforms import SampleFrames

from tpsparse.datasets.index import open_index
from tpsparse.datasets.segments import (
    EqualSegments,
    FrameSegments,
    count_states,
    cut_videos,
    derive_label_table,
    most_frequent,
)
from tpsparse.datasets.tasks import segment_sample
from tpsparse.errors import InputError
from tpsparse.registry import SEGMENTERS
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend", "lift"), actions=("a", "b", "c"))
NAN = float("nan")


class TestEqualSegments:
    @pytest.mark.parametrize(
        ("seconds", "num_frames", "fps", "expected"),
        [
            (0.6, 12, 10.0, [[1, 6], [7, 12]]),
            (0.24, 12, 10.0, [[1, 2], [3, 4], [5, 7], [8, 9], [10, 12]]),  # bounds 0, 2.4, 4.8, 7.2, 9.6, 12 cut off
            (3.0, 90, 15.0, [[1, 45], [46, 90]]),
            (3.0, 67, 15.0, [[1, 67]]),  # 1.49 segments
            (3.0, 68, 15.0, [[1, 34], [35, 68]]),  # 1.51
            (None, 90, 15.0, [[1, 90]]),
            (3.0, 10, 15.0, [[1, 10]]),  # shorter than a segment
            (3.0, 1, 15.0, [[1, 1]]),
            (None, 1, 15.0, [[1, 1]]),
            (0.01, 3, 10.0, [[1, 1], [2, 2], [3, 3]]),  # never more segments than frames
            (3.0, 90, 0.0, [[1, 90]]),
            (3.0, 90, -1.0, [[1, 90]]),
            (3.0, 90, NAN, [[1, 90]]),
            (3.0, 90, float("inf"), [[1, 90]]),
            (3, 0, 15.0, []),
        ],
    )
    def test_by_hand(self, seconds, num_frames, fps, expected):
        cut = EqualSegments(seconds)(num_frames, fps)
        assert cut.dtype == np.int64 and cut.shape == (len(expected), 4)
        assert cut[:, :2].tolist() == cut[:, 2:].tolist() == expected

    @pytest.mark.parametrize("num_frames", [1, 2, 7, 44, 45, 151])
    def test_every_frame_once(self, num_frames):
        cut = EqualSegments(0.3)(num_frames, 25.0)
        assert [n for first, last in cut[:, :2] for n in range(first, last + 1)] == list(range(1, num_frames + 1))
        lengths = cut[:, 1] - cut[:, 0] + 1
        assert lengths.max() - lengths.min() <= 1

    @pytest.mark.parametrize("seconds", [0, -1.0, NAN, float("inf")])
    def test_lengths_that_make_no_segment(self, seconds):
        with pytest.raises(InputError, match=r"seconds .* of EqualSegments make no segment: give more than 0"):
            EqualSegments(seconds)

    def test_from_a_config(self):
        assert SEGMENTERS.build(dict(type="EqualSegments", seconds=None)) == EqualSegments(None)
        assert SEGMENTERS.build(dict(type="FrameSegments", step=2)) == FrameSegments(2, 64)


class TestFrameSegments:
    @pytest.mark.parametrize(
        ("step", "frames", "num_frames", "fps", "expected"),
        [
            # Stretches of four: two before the frame, one after, moved at either end.
            (5, 4, 12, 10.0, [[1, 1, 1, 4], [6, 6, 4, 7], [11, 11, 9, 12]]),
            (5, 3, 12, 10.0, [[1, 1, 1, 3], [6, 6, 5, 7], [11, 11, 10, 12]]),
            (1, 1, 3, 10.0, [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]),
            (5, 12, 12, 10.0, [[1, 1, 1, 12], [6, 6, 1, 12], [11, 11, 1, 12]]),  # as long as the video
            (5, 64, 12, 10.0, [[1, 1, 1, 12], [6, 6, 1, 12], [11, 11, 1, 12]]),  # longer
            (5, 4, 7, 0.0, [[1, 1, 1, 4], [6, 6, 4, 7]]),  # the frame rate does not matter
            (5, 4, 7, NAN, [[1, 1, 1, 4], [6, 6, 4, 7]]),
            (5, 30, 1, 10.0, [[1, 1, 1, 1]]),
            (5, 30, 0, 10.0, []),
        ],
    )
    def test_by_hand(self, step, frames, num_frames, fps, expected):
        cut = FrameSegments(step, frames)(num_frames, fps)
        assert cut.tolist() == expected and cut.shape == (len(expected), 4)

    @pytest.mark.parametrize("fps", [15.0, 25.0, 30.0])
    @pytest.mark.parametrize(("clip_len", "interval"), [(32, 2), (8, 4)])
    @pytest.mark.parametrize("seconds", [1, 10])
    def test_every_frame_is_in_its_own_clip(self, fps, clip_len, interval, seconds):
        """One clip as long as the stretch, as systems of prediction by frames have it, at any frame rate."""
        length, num_frames = clip_len * interval, round(fps * seconds)
        sampler = SampleFrames(clip_len, interval, 1, test_mode=True)
        for segment in FrameSegments(2, length)(num_frames, fps):
            frame, last, start, end = segment.tolist()
            assert frame == last and start <= frame <= end and end - start + 1 == min(length, num_frames)
            sample = segment_sample("v.mp4", "v", segment, fps=fps, label=0)
            clip = sampler.transform(sample)["frame_inds"]
            assert np.abs(clip - frame).min() < interval and start <= clip.min() and clip.max() <= end
            if length // 2 < frame <= num_frames - length // 2:
                assert frame - start == length // 2 and abs((clip.min() + clip.max()) / 2 - frame) <= interval

    def test_what_cannot_be(self):
        with pytest.raises(InputError, match="step 0 of FrameSegments takes no frame"):
            FrameSegments(0)
        with pytest.raises(InputError, match="frames 0 of FrameSegments make no segment: give 1 or more"):
            FrameSegments(5, 0)


class TestClipsOfShortStretches:
    """What the module says of mmaction2's ``SampleFrames`` on stretches shorter than a clip."""

    def frames(self, segment, *, test_mode, num_clips, clip_len=32, interval=2):
        sampler = SampleFrames(clip_len, interval, num_clips, test_mode=test_mode)
        sample = segment_sample("v.mp4", "v", np.array(segment), fps=10.0, label=0)
        return sampler.transform(sample)["frame_inds"].reshape(num_clips, clip_len)

    @pytest.mark.parametrize("num_clips", [1, 7])
    @pytest.mark.parametrize("test_mode", [False, True])
    def test_one_frame(self, test_mode, num_clips):
        assert (self.frames([40, 40, 9, 9], test_mode=test_mode, num_clips=num_clips) == 9).all()

    @pytest.mark.parametrize("num_clips", [1, 7])
    @pytest.mark.parametrize("test_mode", [False, True])
    def test_three_frames(self, test_mode, num_clips):
        found = self.frames([9, 11, 9, 11], test_mode=test_mode, num_clips=num_clips)
        assert found.tolist() == [([9, 11, 10] * 11)[:32]] * num_clips

    @pytest.mark.parametrize("test_mode", [False, True])
    @pytest.mark.parametrize("length", [1, 3, 5])
    def test_single_images_stay_inside(self, length, test_mode):
        # As TSN has it: seven clips of one image.
        found = self.frames([9, 8 + length, 9, 8 + length], test_mode=test_mode, num_clips=7, clip_len=1, interval=1)
        assert found.min() >= 9 and found.max() <= 8 + length

    def test_clips_are_drawn_from_the_stretch(self):
        np.random.seed(0)
        found = np.concatenate(
            [self.frames([50, 50, 21, 90], test_mode=False, num_clips=1, clip_len=4) for _ in range(200)]
        )
        assert found.min() == 21 and found.max() >= 85 and found.max() <= 90


# Two videos of action a, one of b, none of c, one frame a second; a person is its states by part, -1 for an absent one.
VIDEOS = [
    (0, [[[0, 1, 1]], [[0, 1, 2], [0, 2, 2]], [], [[0, 2, -1]]]),
    (1, [[[-1, -1, 2]], [[1, -1, -1]], [[1, -1, -1]]]),
    (0, [[[-1, -1, -1]], [[2, 2, 1]]]),
]


def plain_counts(index, group, video, segments):
    """Frame by frame and person by person, from the records of the ground truth."""
    parts = index.taxonomy.part_groups[group]
    counts = np.zeros((len(segments), len(index.taxonomy.states)), dtype=int)
    for row, (place, (first, last, _, _)) in enumerate(zip(video, segments)):
        truth = index.ground_truth(int(place))
        for frame in truth.frames if truth else []:
            if first <= frame.frame_index <= last:
                for state in frame.part_states[:, parts].ravel():
                    if state >= 0:
                        counts[row, state] += 1
    return counts


class TestCounts:
    def count(self, index, group, segmenter):
        video, segments = cut_videos(index, segmenter)
        return video, segments, count_states(index, group, video, segments)

    def test_by_hand(self):
        video, segments, counts = self.count(make_index(NAMES, VIDEOS), "arm", EqualSegments(2))
        # Four frames in two, three in two (rounded to even: 1.5 is 2), two in one.
        assert video.tolist() == [0, 0, 1, 1, 2]
        assert segments[:, :2].tolist() == [[1, 2], [3, 4], [1, 1], [2, 3], [1, 2]]
        assert counts.tolist() == [[0, 3, 3], [0, 0, 1], [0, 0, 1], [0, 0, 0], [0, 1, 1]]
        assert most_frequent(counts).tolist() == [1, 2, 2, -1, 1]  # 3 : 3 and 1 : 1 go to the first

    @pytest.mark.parametrize("group", ["head", "arm"])
    @pytest.mark.parametrize(
        "segmenter", [EqualSegments(2), EqualSegments(None), FrameSegments(2, 2), FrameSegments(1)]
    )
    def test_against_a_plain_loop(self, tiny_root, tiny_taxonomy, group, segmenter):
        for index in (make_index(NAMES, VIDEOS), open_index(tiny_root, "train", tiny_taxonomy)):
            video, segments, counts = self.count(index, group, segmenter)
            assert counts.tolist() == plain_counts(index, group, video, segments).tolist() and counts.any()

    def test_random_videos(self):
        rng = np.random.default_rng(1)
        videos = [
            (int(rng.integers(3)), [rng.integers(-1, 3, (rng.integers(0, 3), 3)).tolist() for _ in range(frames)])
            for frames in (1, 7, 0, 12, 3)
        ]
        index = make_index(NAMES, videos)
        video, segments, counts = self.count(index, "arm", EqualSegments(3))
        assert counts.tolist() == plain_counts(index, "arm", video, segments).tolist()

    def test_other_splits_do_not_count(self, tiny_root, tiny_taxonomy):
        train, test = (open_index(tiny_root, split, tiny_taxonomy) for split in ("train", "test"))
        counts = [self.count(index, "head", EqualSegments(None))[2].tolist() for index in (train, test)]
        # Two videos of 12 heads each in the first two actions, of two persons in the third.
        assert counts == [[[12, 0, 0]] * 4 + [[24, 0, 0]] * 2, [[12, 0, 0]] * 2 + [[24, 0, 0]]]

    def test_no_videos(self):
        video, segments, counts = self.count(make_index(NAMES, []), "head", EqualSegments(3))
        assert video.shape == (0,) and segments.shape == (0, 4) and counts.shape == (0, 3)

    def test_no_such_group(self):
        with pytest.raises(InputError, match=r"^root has no part group left_arm: use one of head, arm"):
            self.count(make_index(NAMES, VIDEOS), "left_arm", EqualSegments(3))


class TestLabels:
    def test_by_hand(self):
        index = make_index(NAMES, VIDEOS)
        table = derive_label_table(index, "arm", 2)
        assert (table.group, table.seconds) == ("arm", 2)
        assert table.labels == (("a", "bend"), ("a", "lift"), ("b", "lift"))  # in order of ids, each once
        # Whole videos: 3 bent and 4 lifted; one lifted; a tie.
        assert derive_label_table(index, "arm", None).labels == (("a", "bend"), ("a", "lift"), ("b", "lift"))
        assert derive_label_table(index, "head", None).labels == (("a", "none"), ("a", "lift"), ("b", "bend"))

    def test_derived_once(self):
        index = make_index(NAMES, VIDEOS)
        table = derive_label_table(index, "arm", 2)
        assert derive_label_table(index, "arm", 2) is table and derive_label_table(index, "arm", 1) is not table
        assert derive_label_table(make_index(NAMES, VIDEOS[:1]), "arm", 2).labels == (("a", "bend"), ("a", "lift"))

    def test_nothing_annotated(self):
        index = make_index(NAMES, [(0, [[[0, -1, -1]]]), (1, [[]])])
        assert derive_label_table(index, "head", 3.0).labels == (("a", "none"),)
        with pytest.raises(InputError, match=r"^root \(train\) has no annotated part of group arm: annotate it or use"):
            derive_label_table(index, "arm", 3.0)

    def test_of_the_drawn_data_set(self, tiny_root, tiny_taxonomy):
        index = open_index(tiny_root, "train", tiny_taxonomy)
        # Frames 7 to 12 of pull_ups: lifted 8 times, bent 2 times; frames 1 to 6: lifted 5, bent 6.
        arms = (("lunge", "bend"), ("pull_ups", "bend"), ("pull_ups", "lift"), ("push_up", "bend"))
        assert derive_label_table(index, "arm", 0.6).labels == arms
        assert derive_label_table(index, "head", 0.6).labels == tuple(
            (action, "none") for action in tiny_taxonomy.actions
        )
