import numpy as np
import pytest

from tpsparse.evaluation.functional import frame_means, part_rewards, video_psc

WHOLE = [0, 0, 9, 9]
THREE_TENTHS = [0, 0, 9, 2]  # 10 x 3 of 10 x 10 pixels
FAR = [500, 500, 509, 509]


def _reward(proposals, state=1, threshold=0.3):
    """Reward of one 10 x 10 part with ``state``, for proposals of (box, state)."""
    return part_rewards(
        np.array([WHOLE]),
        np.array([state]),
        proposal_boxes=np.array([box for box, _ in proposals], dtype=float).reshape(-1, 4),
        proposal_states=np.array([s for _, s in proposals], dtype=int),
        proposal_parts=np.zeros(len(proposals), dtype=int),
        threshold=threshold,
    ).tolist()


@pytest.mark.parametrize(
    ("proposals", "expected", "reason"),
    [
        ([], 0, "no proposal"),
        ([(WHOLE, 1)], 1, "box and state right"),
        ([(WHOLE, 2)], 0, "state wrong"),
        ([(FAR, 1)], 0, "box wrong"),
        ([(THREE_TENTHS, 1)], 1, "exactly at the part threshold counts"),
        ([([0, 0, 9, 1.9], 1)], 0, "just under the threshold"),
        ([(WHOLE, 1), (FAR, 1)], 1 / 2, "a second guess halves the reward"),
        ([(FAR, 1), (WHOLE, 2), (WHOLE, 1)], 1 / 3, "the right one may come last"),
        ([(WHOLE, 1), (WHOLE, 1)], 1 / 2, "two right ones count once"),
        ([(WHOLE, 2), (FAR, 1)], 0, "box and state must be right in the same proposal"),
    ],
)
def test_rewards_by_hand(proposals, expected, reason):
    assert _reward(proposals) == [expected], reason


def test_no_overlap_is_wrong_even_at_threshold_zero():
    assert _reward([(FAR, 1)], threshold=0) == [0]
    assert _reward([([9, 9, 20, 20], 1)], threshold=0) == [1]


def test_proposals_belong_to_their_own_part():
    rewards = part_rewards(
        np.array([WHOLE, WHOLE, WHOLE]),
        np.array([1, 1, 1]),
        proposal_boxes=np.array([WHOLE, FAR, WHOLE]),
        proposal_states=np.array([1, 1, 1]),
        proposal_parts=np.array([2, 0, 2]),
        threshold=0.3,
    )
    assert rewards.tolist() == [0, 0, 0.5]


def test_frames_average_parts_and_not_persons():
    # Frame 0: one person with one part (right), one with three (one half right): (1 + 0.5) / 4.
    # Frame 1: a person without parts. Frame 2: one part, wrong.
    means = frame_means(
        np.array([1.0, 0.5, 0.0, 0.0, 0.0]),
        part_persons=np.array([0, 1, 1, 1, 3]),
        person_frames=np.array([0, 0, 1, 2]),
        frames=3,
    )
    np.testing.assert_equal(means, [0.375, np.nan, 0.0])


def test_no_parts_at_all():
    nothing = np.array([], dtype=int)
    np.testing.assert_equal(frame_means(np.array([]), nothing, nothing, 2), [np.nan, np.nan])
    assert frame_means(np.array([]), nothing, nothing, 0).shape == (0,)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [([], 1.0), ([np.nan, np.nan], 1.0), ([0.5], 0.5), ([0.5, np.nan, 0.0, 0.25], 0.25)],
)
def test_videos_average_the_frames_that_count(frames, expected):
    assert video_psc(np.array(frames)) == expected
