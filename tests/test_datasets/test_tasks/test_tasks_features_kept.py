"""Features that are kept once they are read: the same samples as read anew each time."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.tasks import TPSFeatureDataset
from tpsparse.structures import FrameParse, VideoParse

NAMES = ("lunge_train_0", "push_up_train_1")


def record(name: str, seed: int) -> VideoParse:
    """12 frames of 0 to 3 persons with features and states; frames without persons have neither."""
    random = np.random.default_rng(seed)
    frames = []
    for number in range(1, 13):
        persons = number % 4
        frames.append(
            FrameParse(
                number,
                random.random((persons, 4)) * 50,
                random.random(persons),
                state_scores=random.random((persons, 3, 3)) if persons else None,
                features={"context": random.random(5)},
                person_features={"part": random.random((persons, 2))},
            )
        )
    return VideoParse(name, num_frames=12, frames=frames, features={"swin": random.random(4)})


@pytest.fixture
def parses(tmp_path):
    for seed, name in enumerate(NAMES):
        record(name, seed).save(tmp_path / f"{name}.safetensors")
    return tmp_path


@pytest.fixture
def make(tiny_root, tiny_taxonomy, parses):
    def build(**kwargs) -> TPSFeatureDataset:
        place = dict(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=[])
        return TPSFeatureDataset(**place, parses=str(parses), max_persons=2, **kwargs)

    return build


def plain(sample: dict) -> dict:
    persons = sample["person_features"]
    kinds = {kind: sample[f"{kind}_features"] for kind in ("frame", "video")}
    kinds |= {f"person {number}": each for number, each in enumerate(persons)}
    arrays = {(kind, name): (array.dtype, array.tolist()) for kind, own in kinds.items() for name, array in own.items()}
    return {**arrays, "video": sample["video"], "action": sample["action"]}


@pytest.mark.parametrize("kwargs", [dict(num_frames=5, random=True), dict(num_frames=5), dict(num_frames=99)])
def test_the_same_samples(make, kwargs):
    held, anew = make(**kwargs), make(**kwargs)
    anew._kept.max_bytes = 0
    keys = [(video, seed) for seed in range(4) for video in (0, 1)]
    found = [plain(held[key]) for key in keys]
    assert found == [plain(anew[key]) for key in keys]
    assert (len(held._kept), len(anew._kept)) == (2, 0)
    draws = [str(each) for each in found[::2]]
    assert (len(set(draws)) > 1) == kwargs.get("random", False)


def test_a_file_is_read_once(make, parses):
    dataset = make()
    first = plain(dataset[0])
    (parses / f"{NAMES[0]}.safetensors").unlink()
    assert plain(dataset[0]) == first and not list(dataset.problems)


def test_what_a_pipeline_does_to_a_sample_stays_there(make):
    dataset = make()
    first = plain(dataset[0])
    sample = dataset[0]
    sample["frame_features"]["context"][:] = 7
    sample["video_features"].pop("swin")
    sample["person_features"].pop()
    assert plain(dataset[0]) == first


@pytest.mark.parametrize(("room", "count"), [(0, 1), (-1, 0)])
def test_exactly_as_much_as_there_is_room_for(make, room, count):
    """Of 18 persons: 2 floats of a part and 9 of states each, 12 x 5 of the context, 4 of the video; 8 bytes each."""
    size = 8 * (18 * 2 + 18 * 9 + 12 * 5 + 4)
    dataset = make()
    dataset._kept.max_bytes = size + room
    first, second = plain(dataset[0]), plain(dataset[1])
    assert len(dataset._kept) == count
    assert (plain(dataset[0]), plain(dataset[1])) == (first, second)
