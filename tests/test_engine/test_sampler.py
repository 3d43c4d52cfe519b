from __future__ import annotations

import pytest

from tpsparse.engine.sampler import SeededIndex, SeededSampler
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
