"""Files of boundaries and floors against an annotation."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_tapos import write_instances

from tpsparse.datasets.instances import Instance, open_instances
from tpsparse.errors import InputError
from tpsparse.evaluation.boundary_scoring import method_of, score_method
from tpsparse.structures.boundaries_file import Boundaries


@pytest.fixture
def instances(tmp_path):
    return open_instances(write_instances(tmp_path / "data"), "val").instances


def saved(path, instances, *, method="", shift=0):
    held = Boundaries(method)
    for each in instances:
        held.add(each.key, each.num_frames, each.boundaries + shift)
    held.save(path)
    return str(path)


def test_a_file(instances, tmp_path):
    method = method_of(saved(tmp_path / "a (b) ü.json", instances, method="CTM"), instances)
    scores = score_method(method, instances)
    assert method.name == "CTM" and not method.note and scores.f1.min() == 1 and scores.instances == len(instances)
    shifted = score_method(method_of(saved(tmp_path / "b.json", instances, shift=6), instances), instances)
    assert shifted.of("absolute", "f1")[0] < 0.5 and shifted.of("absolute", "f1")[1] == 1


def test_names(instances, tmp_path):
    path = saved(tmp_path / "my=file.json", instances)
    assert method_of(path, instances).name == "my=file"  # an equals sign in a path that is there
    assert method_of(f"A (b)={path}", instances).name == "A (b)"
    assert method_of("even=floor:even", instances).name == "even"


def test_missing_and_other_instances(instances, tmp_path):
    path = saved(tmp_path / "part.json", instances[1:], method="part")
    method = method_of(path, instances)
    assert method.note == "1 instances without an entry count as without boundaries" and not len(method.found[0])
    scores = score_method(method, instances)
    missed = len(instances[0].boundaries)
    assert scores.recall[0] == pytest.approx(1 - missed / scores.truths)
    assert method_of(saved(tmp_path / "all.json", instances), instances[1:]).note == "1 of other instances are not used"
    with pytest.raises(InputError, match=r"part.json has none of the 1 instances: give another file"):
        method_of(path, instances[:1])


def test_another_length(instances, tmp_path):
    held = Boundaries("x")
    held.add(instances[0].key, instances[0].num_frames + 1, np.array([1]))
    held.save(tmp_path / "x.json")
    with pytest.raises(InputError, match=rf"x.json has {instances[0].num_frames + 1} frames of .* are annotated"):
        method_of(str(tmp_path / "x.json"), instances)


def test_floors():
    def instance(name: str, *substages: int) -> Instance:
        return Instance("v", name, "val", substages[-1], substages)

    # A mean of 1.5, rounded up to 2.
    given = [instance("a", 0, 30, 90), instance("b", 0, 40, 80, 90)]
    even = method_of("floor:even", given)
    assert [found.tolist() for found in even.found] == [[30, 60], [30, 60]] and "2 an instance" in even.note
    assert score_method(even, given).of("absolute", "recall")[0] == pytest.approx(1 / 3)
    assert [len(found) for found in method_of("floor:none", given).found] == [0, 0]
    with pytest.raises(InputError, match="floor:odd is no floor: give floor:none or floor:even"):
        method_of("floor:odd", given)


def test_a_file_that_is_missing(instances):
    with pytest.raises(InputError, match="nowhere.json is missing"):
        method_of("nowhere.json", instances)
