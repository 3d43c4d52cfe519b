"""Files of predicted boundaries: written, read, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.structures.boundaries_file import Boundaries


def test_what_is_written_is_read(tmp_path):
    made = Boundaries("mine (ü)")
    made.add("v/b", 10, np.array([3, 9]))
    made.add("v ü/a", 1, np.array([], dtype=np.int64))
    made.save(tmp_path / "new" / "a.json")
    read = Boundaries.load(tmp_path / "new" / "a.json")
    assert read.method == "mine (ü)" and list(read.instances) == ["v ü/a", "v/b"]
    num_frames, found = read.instances["v/b"]
    assert num_frames == 10 and found.tolist() == [3, 9] and found.dtype == np.int64
    assert read.instances["v ü/a"][1].shape == (0,)


@pytest.mark.parametrize("found", [[0], [10], [4, 4], [5, 4], [-1]])
def test_boundaries_outside_or_out_of_order(found):
    with pytest.raises(ValueError, match="of 10 frames are out of order or outside"):
        Boundaries().add("v/a", 10, np.array(found))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"a\.json is missing: write it with the test"):
        Boundaries.load(tmp_path / "a.json")


def text(**instance) -> str:
    return json.dumps(dict(format=1, method="", instances={"v/a": instance}))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps(dict(format=1, method="")),
        text(num_frames=10),
        text(num_frames=10, boundaries=3),
        text(num_frames=10, boundaries=[1.7, 5]),
        text(num_frames=10.6, boundaries=[1]),
        text(num_frames=True, boundaries=[]),
        text(num_frames=10**30, boundaries=[10**29]),
        text(num_frames=10, boundaries=[10]),
    ],
)
def test_broken_file(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=r"a\.json holds no boundaries .*: write it again$"):
        Boundaries.load(tmp_path / "a.json")


def test_other_format(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(dict(format=2, method="", instances={})))
    with pytest.raises(InputError, match="has format 2, this version reads 1"):
        Boundaries.load(tmp_path / "a.json")
