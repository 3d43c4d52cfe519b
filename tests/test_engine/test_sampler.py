from __future__ import annotations

import numpy as np
import pytest

from tpsparse.engine.sampler import SeededIndex, SeededSampler, pooled_order
from tpsparse.errors import InputError
from tpsparse.registry import DATA_SAMPLERS


def keys(length=7, *, seed=0, epoch=0, **kwargs) -> list[SeededIndex]:
    sampler = SeededSampler(range(length), seed=seed, **kwargs)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_every_sample_once():
    assert sorted(key.item for key in keys()) == list(range(7))


@pytest.mark.parametrize("change", [dict(seed=1), dict(epoch=1)], ids=["seed", "epoch"])
def test_what_a_seed_depends_on(change):
    assert dict(keys()) == dict(keys())
    one, two = dict(keys()), dict(keys(**change))
    assert all(one[index] != two[index] for index in range(7))


def test_seed_does_not_depend_on_order_or_length():
    shuffled, plain, longer = dict(keys()), dict(keys(shuffle=False)), dict(keys(20))
    assert shuffled == plain == {index: longer[index] for index in range(7)}


def test_samples_have_seeds_of_their_own():
    assert len(set(dict(keys(1000)).values())) == 1000


def test_a_key_fits_numpy():
    assert all(0 <= key.seed < 2**32 for key in keys())


@pytest.mark.parametrize("length", [8, 7])
def test_shares_of_two_processes_are_those_of_one(monkeypatch, length):
    whole = keys(length, epoch=3)
    shares = []
    for rank in range(2):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, 2))
        shares.append(keys(length, epoch=3))
    joined = [key for pair in zip(*shares) for key in pair]
    assert joined[:length] == whole
    assert joined[length:] == whole[: len(joined) - length]  # the last round is filled up from the start


def test_built_by_name():
    assert isinstance(DATA_SAMPLERS.build(dict(type="SeededSampler", dataset=[1], seed=0)), SeededSampler)


class Grouped:
    """Samples of videos: the samples of video ``v`` are ``counts[v]``, mixed with those of the others."""

    def __init__(self, counts: list[int], *, names: list[int] | None = None) -> None:
        groups = np.repeat(np.arange(len(counts)) if names is None else names, counts)
        self.groups = np.random.default_rng(0).permutation(groups)

    def __len__(self) -> int:
        return len(self.groups)

    def sample_groups(self) -> np.ndarray:
        return self.groups


def pooled(dataset: Grouped, *, epoch: int = 0, **kwargs) -> list[int]:
    sampler = SeededSampler(dataset, seed=0, **kwargs)
    sampler.set_epoch(epoch)
    return [key.item for key in sampler]


def shares(monkeypatch, dataset: Grouped, world: int, **kwargs) -> list[list[int]]:
    found = []
    for rank in range(world):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, world))
        found.append(pooled(dataset, **kwargs))
    return found


COUNTS = [5, 1, 7, 2, 9, 4, 3]


@pytest.mark.parametrize("pool", [1, 3, 7, 100], ids=["one", "uneven", "all", "more than there are"])
def test_pooled_every_sample_once(pool):
    assert sorted(pooled(Grouped(COUNTS), pool=pool)) == list(range(31))


def test_pools_of_one_are_videos_in_a_row():
    dataset = Grouped(COUNTS)
    videos = dataset.groups[pooled(dataset, pool=1)]
    assert np.count_nonzero(np.diff(videos)) == len(COUNTS) - 1


def test_a_pool_is_mixed_and_shares_no_video_with_the_next():
    dataset = Grouped([20] * 9)
    pools = dataset.groups[pooled(dataset, pool=3)].reshape(3, 60)
    videos = [set(pool.tolist()) for pool in pools]
    assert [len(pool) for pool in videos] == [3, 3, 3] and set.union(*videos) == set(range(9))
    assert all(np.count_nonzero(np.diff(pool)) > 20 for pool in pools)  # in a row they would change twice


def test_pooled_order_goes_by_epoch_and_seeds_stay():
    dataset = Grouped(COUNTS)
    assert pooled(dataset, pool=2) == pooled(dataset, pool=2) != pooled(dataset, pool=2, epoch=1)
    plain, near = (SeededSampler(dataset, seed=0, pool=pool) for pool in (None, 2))
    assert dict(plain) == dict(near)


def test_numbers_of_videos_may_have_gaps():
    named, plain = Grouped(COUNTS, names=[3, 90, 91, 200, 201, 500, -1]), Grouped(COUNTS)
    first, second = pooled(named, pool=1), pooled(plain, pool=1)
    assert sorted(first) == sorted(second) == list(range(31))
    assert np.count_nonzero(np.diff(named.groups[first])) == 6


@pytest.mark.parametrize("world", [2, 3, 5])
def test_pooled_ranks_share_without_overlap(monkeypatch, world):
    dataset = Grouped(COUNTS)
    whole = pooled(dataset, pool=2)
    found = shares(monkeypatch, dataset, world, pool=2)
    assert {len(share) for share in found} == {-(-31 // world)}
    joined = [item for share in found for item in share]
    assert joined[:31] == whole and joined[31:] == whole[: len(joined) - 31]


def test_pooled_ranks_without_padding(monkeypatch):
    dataset = Grouped(COUNTS)
    whole = pooled(dataset, pool=2)
    found = shares(monkeypatch, dataset, 4, pool=2, round_up=False)
    assert [len(share) for share in found] == [8, 8, 8, 7]
    assert [item for share in found for item in share] == whole


def test_more_ranks_than_samples(monkeypatch):
    found = shares(monkeypatch, Grouped([1, 1]), 5, pool=1)
    assert [len(share) for share in found] == [1] * 5 and {item for share in found for item in share} == {0, 1}


def test_every_worker_has_videos_of_its_own():
    # 8 videos of 12 samples, batches of 4: each of 2 workers is given 12 batches, which are 4 whole videos
    dataset = Grouped([12] * 8)
    batches = dataset.groups[pooled(dataset, pool=1, workers=2, batch_size=4)].reshape(24, 4)
    seen = [set(batches[worker::2].ravel().tolist()) for worker in range(2)]
    assert [len(videos) for videos in seen] == [4, 4] and not seen[0] & seen[1]


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_turns_change_only_the_order_of_batches(workers):
    dataset = Grouped(COUNTS)
    plain = pooled(dataset, pool=2)
    turned = pooled(dataset, pool=2, workers=workers, batch_size=4)  # 7 whole batches and a rest of 3
    assert turned[28:] == plain[28:]
    batches = {tuple(plain[start : start + 4]) for start in range(0, 28, 4)}
    assert {tuple(turned[start : start + 4]) for start in range(0, 28, 4)} == batches
    per_worker = [[turned[4 * i : 4 * i + 4] for i in range(7) if i % workers == worker] for worker in range(workers)]
    assert [item for batch_list in per_worker for batch in batch_list for item in batch] == plain[:28]


def test_fewer_samples_than_a_batch():
    dataset = Grouped([2, 1])
    assert pooled(dataset, pool=1, workers=4, batch_size=8) == pooled(dataset, pool=1)


def test_no_samples():
    assert pooled_order(np.zeros(0, dtype=np.int64), 3, np.random.default_rng(0)).tolist() == []


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        (dict(pool=0), "pool is 0"),
        (dict(pool=2, shuffle=False), "leave shuffle out"),
        (dict(pool=2, workers=2), "needs batch_size"),
    ],
    ids=["no video", "in order", "workers without batches"],
)
def test_arguments_that_do_not_fit(kwargs, told):
    with pytest.raises(InputError, match=told):
        SeededSampler(Grouped(COUNTS), seed=0, **kwargs)


def test_a_data_set_that_keeps_frames_is_told_of_pools():
    dataset = Grouped(COUNTS)
    told = []
    dataset.expect_pools = lambda: told.append(True)
    SeededSampler(dataset, seed=0)
    assert told == []
    SeededSampler(dataset, seed=0, pool=2)
    assert told == [True]


def test_without_a_pool_no_groups_are_asked_for():
    assert len(list(SeededSampler(range(5), seed=0, workers=4))) == 5
