"""Files that cannot be written for lack of room."""

from __future__ import annotations

import errno
import pickle

import numpy as np
import pytest

from tpsparse.errors import FULL, InputError, UnwritableError
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.structures.files import atomic_write, full_disk_told, write_json, writing_told

TOLD = "/a b/c.json cannot be written (No space left on device): make room there"


def full(number: int = errno.ENOSPC, *place: str) -> OSError:
    return OSError(number, "No space left on device", *place)


def test_error_is_known_by_both_names_and_survives_another_process():
    error = UnwritableError(errno.ENOSPC, "No space left on device", "/a b/c.json")
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        assert isinstance(each, InputError) and isinstance(each, OSError) and str(each) == TOLD
        assert (each.errno, each.strerror, each.filename) == (errno.ENOSPC, "No space left on device", "/a b/c.json")


@pytest.mark.parametrize("number", FULL)
@pytest.mark.parametrize("place", [(), ("/a b/.c.partial.json",)])
@pytest.mark.parametrize("told", [full_disk_told, writing_told])
def test_the_file_is_named(number, place, told):
    with pytest.raises(UnwritableError) as error, told("/a b/c.json"):
        raise full(number, *place)
    assert str(error.value) == TOLD and error.value.errno == number


def test_the_innermost_name_stays(tmp_path):
    with (
        pytest.raises(UnwritableError) as error,
        full_disk_told("/other"),
        writing_told("/another"),
        full_disk_told("/a b/c.json"),
    ):
        raise full()
    assert str(error.value) == TOLD


def test_other_errors_pass():
    for error in (OSError(errno.EACCES, "Permission denied", "/x"), ValueError("a bug")):
        with pytest.raises(type(error)) as found, full_disk_told("/y"), writing_told("/y"):
            raise error
        assert found.value is error
    # Such an error names no file, and only some callers know that it is of a write.
    with pytest.raises(UnwritableError, match=r"^/y cannot be written \(so it is\): see that"), writing_told("/y"):
        raise OSError("so it is")
    with pytest.raises(OSError, match="^so it is$"), full_disk_told("/y"):
        raise OSError("so it is")


def test_atomic_write_names_the_file_and_not_its_temporary_name(tmp_path, little_room):
    path = tmp_path / "a.json"
    write_json(path, [1])
    with pytest.raises(UnwritableError) as error, little_room():
        write_json(path, list(range(5000)))
    assert str(error.value) == f"{path} cannot be written (File too large): make room there"
    assert path.read_text() == "[1]\n" and list(tmp_path.iterdir()) == [path]


def test_record(tmp_path, little_room):
    """The library that writes records tells of the system's errors in words."""
    path, frame = tmp_path / "a.safetensors", FrameParse(1, np.zeros((500, 4)))
    with pytest.raises(UnwritableError) as error, little_room():
        VideoParse("a", size=(4, 4), num_frames=1, fps=1.0, frames=[frame]).save(path)
    assert str(error.value) == f"{path} cannot be written (File too large): make room there"
    assert list(tmp_path.iterdir()) == []


def test_error_in_the_block_that_is_none_of_the_disk(tmp_path):
    with pytest.raises(KeyError), atomic_write(tmp_path / "a"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
