from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.structures import atomic_write, write_json


def test_file_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as partial:
        partial.write_text("whole")
        assert partial.parent == path.parent
        assert partial.suffix == ".txt"
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_failure_keeps_the_older_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="in the middle"), atomic_write(path) as partial:
        partial.write_text("ha")
        raise RuntimeError("in the middle")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.txt"):
        pass


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_write(path) as first, atomic_write(path) as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert path.read_text() == "1"  # the outer block ends last


def test_json_is_read_back_and_keeps_numbers_on_one_line(tmp_path):
    data = {
        "box": [1, 2.5, -3e-07, None],
        "one": [4],
        "points": [[1.0, 2.0], [3.0, 4.0]],
        "text": "[\n 1,\n 2\n]",
        "names": ["hurling_(sport)", "é"],
        "empty": [],
        "mixed": [1, "2"],
    }
    write_json(tmp_path / "a.json", data)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == data
    assert '"box": [1, 2.5, -3e-07, null]' in text
    assert '"one": [4]' in text
    assert "[3.0, 4.0]" in text
    assert "é" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (np.float32(1), TypeError)])
def test_json_refuses_what_it_cannot_say(tmp_path, value, error):
    with pytest.raises(error):
        write_json(tmp_path / "a.json", {"a": value})
    assert list(tmp_path.iterdir()) == []
