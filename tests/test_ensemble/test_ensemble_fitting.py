"""Fitted weights against a grid, by hand, and what is refused. V videos, M members, A actions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tpsparse.ensemble import Member, Videos, Votes, fit_weights, held_out_votes, refuse_overlap
from tpsparse.ensemble.fitting import SMALLEST
from tpsparse.errors import InputError
from tpsparse.structures import VideoParse


def random_votes(seed, videos=60, members=3, actions=4):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(actions, 0.5), (videos, members))
    truth = rng.integers(0, actions, videos)
    # Members of different skill.
    scores[np.arange(videos), :, truth] += rng.random((videos, members)) * np.linspace(0.2, 1.5, members)
    return Votes(scores / scores.sum(axis=2, keepdims=True), truth)


def loss(votes, weights):
    """Mean cross-entropy, one video at a time."""
    total = 0.0
    for scores, action in zip(votes.scores, votes.actions):
        total -= math.log(sum(weight * max(each[action], SMALLEST) for weight, each in zip(weights, scores)))
    return total / len(votes.actions)


class TestFit:
    @pytest.mark.parametrize("seed", range(6))
    def test_is_the_best_of_a_grid(self, seed):
        votes = random_votes(seed)
        found = fit_weights(votes)
        steps = 50
        grid = [(i / steps, j / steps, 1 - (i + j) / steps) for i in range(steps + 1) for j in range(steps + 1 - i)]
        losses = [loss(votes, weights) for weights in grid]
        assert loss(votes, found) <= min(losses) + 1e-9
        # And near the best of the grid, whose neighbours are 0.02 apart.
        assert np.abs(found - grid[int(np.argmin(losses))]).max() < 0.03

    @pytest.mark.parametrize("seed", range(20))
    def test_no_direction_leads_down(self, seed):
        """The loss lies at most max_m mean_v(p_vm / p_v) - 1 above its minimum (the Frank-Wolfe gap)."""
        rng = np.random.default_rng(seed)
        votes = random_votes(seed, videos=int(rng.integers(1, 300)), members=int(rng.integers(1, 8)))
        weights = fit_weights(votes)
        assert weights.min() >= 0 and weights.sum() == pytest.approx(1, abs=1e-12)
        right = np.maximum(votes.scores[np.arange(len(votes.actions)), :, votes.actions], SMALLEST)
        assert (right / (right @ weights)[:, None]).mean(axis=0).max() - 1 < 1e-5

    def test_two_members_by_hand(self):
        # -(log(.8 w + .2 (1 - w)) + log(.4 w + .6 (1 - w))) / 2 has derivative 0 where .6 (.6 - .2 w) = .2 (.2 + .6 w),
        # that is at w = .32 / .24 > 1: all weight goes to the first.
        first = Votes(np.array([[[0.8, 0.2], [0.2, 0.8]], [[0.4, 0.6], [0.6, 0.4]]]), np.array([0, 0]))
        assert fit_weights(first).tolist() == pytest.approx([1, 0], abs=1e-6)
        second = Votes(np.array([[[0.8, 0.2], [0.2, 0.8]], [[0.2, 0.8], [0.6, 0.4]]]), np.array([0, 0]))
        # .6 (.6 - .4 w) = .4 (.2 + .6 w)  ->  .28 = .48 w
        assert fit_weights(second).tolist() == pytest.approx([7 / 12, 5 / 12], abs=1e-5)

    def test_a_member_that_is_right_takes_all_and_others_get_exactly_nothing(self):
        scores = np.array([[[1.0, 0], [0.3, 0.7]], [[0, 1.0], [0.5, 0.5]]])
        assert fit_weights(Votes(scores, np.array([0, 1]))).tolist() == [1, 0]

    def test_equal_members_stay_equal(self):
        scores = np.repeat(random_votes(0, members=1).scores, 3, axis=1)
        assert fit_weights(Votes(scores, random_votes(0).actions)).tolist() == pytest.approx([1 / 3] * 3, abs=1e-9)

    def test_one_member(self):
        assert fit_weights(random_votes(0, members=1)).tolist() == [1]

    def test_one_video_missed_by_all_costs_a_bounded_loss(self):
        # The second video tells nothing; the first decides.
        scores = np.array([[[0.9, 0.1], [0.6, 0.4]], [[1.0, 0], [1.0, 0]]])
        votes = Votes(scores, np.array([0, 1]))
        weights = fit_weights(votes)
        assert weights.tolist() == pytest.approx([1, 0], abs=1e-6)
        assert votes.of(weights)["cross_entropy"] == pytest.approx(-(math.log(0.9) + math.log(1e-6)) / 2)


def test_numbers_by_hand():
    scores = np.array([[[0.6, 0.4], [0.1, 0.9]], [[0.3, 0.7], [0.2, 0.8]]])
    numbers = Votes(scores, np.array([0, 1])).numbers(np.array([0.75, 0.25]))
    assert numbers["videos"] == 2
    assert [member["top1"] for member in numbers["members"]] == [1.0, 0.5]
    assert numbers["members"][0]["cross_entropy"] == pytest.approx(-(math.log(0.6) + math.log(0.7)) / 2)
    # Equal: [.35, .65] and [.25, .75]; the given weights: [.475, .525] and [.275, .725].
    assert numbers["equal"] == pytest.approx(dict(top1=0.5, cross_entropy=-(math.log(0.35) + math.log(0.75)) / 2))
    assert numbers["ensemble"] == pytest.approx(dict(top1=0.5, cross_entropy=-(math.log(0.475) + math.log(0.725)) / 2))


def test_of_tied_actions_the_first_counts():
    votes = Votes(np.array([[[0.5, 0.5]], [[0.5, 0.5]]]), np.array([0, 1]))
    assert votes.of(np.ones(1))["top1"] == 0.5


class TestHeldOut:
    NAMES = [f"{action}_train_{i}" for action, i in itertools.product(("lunge", "pull_ups", "push_up"), (0, 1))]

    def save(self, save_records, name, videos, *, failed=(), seed=0):
        rng = np.random.default_rng(seed)
        records = [
            VideoParse(video, error="cut")
            if video in failed
            else VideoParse(video, action_scores={"action": rng.dirichlet(np.ones(3)).astype(np.float32)})
            for video in videos
        ]
        return Member(save_records(name, records))

    def test_votes_are_in_the_order_of_videos_and_members(self, save_records, tiny_root):
        members = [self.save(save_records, name, self.NAMES, seed=seed) for seed, name in enumerate("ab")]
        votes, left_out = held_out_votes(members, Videos(tiny_root, "train"))
        assert votes.scores.shape == (6, 2, 3) and votes.actions.tolist() == [0, 0, 1, 1, 2, 2] and left_out == []
        record = members[1].load("pull_ups_train_1")
        assert votes.scores[3, 1].tolist() == record.action_scores["action"].tolist()

    def test_failed_videos_are_left_out(self, save_records, tiny_root):
        members = [
            self.save(save_records, "a", self.NAMES, failed=["lunge_train_0"]),
            self.save(save_records, "b", self.NAMES, failed=["push_up_train_1"]),
        ]
        votes, left_out = held_out_votes(members, Videos(tiny_root, "train"))
        assert votes.actions.tolist() == [0, 1, 1, 2] and left_out == ["lunge_train_0", "push_up_train_1"]

    def test_videos_without_any_record_are_left_out(self, save_records, tiny_root):
        """A run that was cut short, or saves no record of what it could not parse."""
        members = [self.save(save_records, name, self.NAMES[1:5], failed=["pull_ups_train_0"]) for name in "ab"]
        votes, left_out = held_out_votes(members, Videos(tiny_root, "train"))
        assert votes.actions.tolist() == [0, 1, 2]
        assert left_out == ["lunge_train_0", "pull_ups_train_0", "push_up_train_1"]

    @pytest.mark.parametrize(
        ("videos", "failed", "told"),
        [
            ((NAMES, NAMES[:-1]), (), "parses has no record of push_up_train_1, which other members have"),
            (
                (NAMES[:1], NAMES),
                (),
                "no record of lunge_train_1, pull_ups_train_0, pull_ups_train_1 and 2 more, which",
            ),
            ((["zumba"], ["zumba"]), (), "has records of zumba, not in split train: give their --fit-split"),
            ((NAMES, NAMES), NAMES, "has no video that all members of --fit could parse"),
        ],
        ids=["missing", "many missing", "other split", "all failed"],
    )
    def test_refused(self, save_records, tiny_root, videos, failed, told):
        members = [self.save(save_records, name, each, failed=failed) for name, each in zip("ab", videos)]
        with pytest.raises(InputError, match=told):
            held_out_votes(members, Videos(tiny_root, "train"))

    def test_fitting_on_what_is_reported(self, save_records, tiny_root):
        fit = [self.save(save_records, "fit", [*self.NAMES, "lunge_test_0"])]
        member = self.save(save_records, "a", ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"])
        told = "is to be fitted on lunge_test_0, which are also reported: fit on a split of other videos"
        with pytest.raises(InputError, match=told):
            refuse_overlap(fit, [member], Videos(tiny_root, "test"))
        # Also where no member has a record of it, and where it is in no list but in a member's folder.
        other = self.save(save_records, "b", ["pull_ups_test_0"])
        with pytest.raises(InputError, match=told):
            refuse_overlap(fit, [other], Videos(tiny_root, "test"))
        extra = self.save(save_records, "c", ["pull_ups_test_0", "lunge_train_0"])
        with pytest.raises(InputError, match="lunge_train_0"):
            refuse_overlap([self.save(save_records, "d", self.NAMES)], [extra], Videos(tiny_root, "test"))
        refuse_overlap([self.save(save_records, "e", self.NAMES)], [member], Videos(tiny_root, "test"))

    def test_fitting_on_what_networks_are_trained_on(self, save_records, tiny_root):
        fit, reported = [self.save(save_records, "fit", self.NAMES)], Videos(tiny_root, "test")
        told = "is to be fitted on pull_ups_train_1, which networks are trained on: fit on a split of other videos"
        with pytest.raises(InputError, match=told):
            refuse_overlap(fit, [], reported, trained=["pull_ups_train_1", "elsewhere"])
        refuse_overlap(fit, [], reported, trained=["elsewhere"])
