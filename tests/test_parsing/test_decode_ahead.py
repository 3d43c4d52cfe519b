"""The thread that decodes ahead: the same frames, bounded, and gone when the iteration ends, however it ends."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.parsing.decode_ahead import AHEAD, decode_ahead


@pytest.fixture
def video(tiny_root):
    return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4")


class Counted:
    """A video whose windows are counted as they are decoded."""

    def __init__(self, windows=100, broken_at=None):
        self.count, self.decoded, self.broken_at = windows, 0, broken_at

    def windows(self, numbers, room):
        for place in range(self.count):
            if place == self.broken_at:
                raise InputError("clip.mp4 ends after frame 3: replace it")
            self.decoded += 1
            yield np.full((room, 1, 1, 3), place, dtype=np.uint8)


def decoding_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "decode"]


@pytest.mark.parametrize("room", [1, 5, 12, 99])
@pytest.mark.parametrize("numbers", [range(1, 13), [2, 3, 11], [12]])
def test_the_frames_of_the_video(video, numbers, room):
    found = list(decode_ahead(video, list(numbers), room))
    assert [number for there, _ in found for number in there] == list(numbers)
    assert max(len(images) for _, images in found) <= room
    np.testing.assert_array_equal(np.concatenate([images for _, images in found]), video.frames(list(numbers)))
    assert decoding_threads() == []


def test_no_frame_is_no_window(video):
    assert list(decode_ahead(video, [], 4)) == [] and decoding_threads() == []


def test_it_is_never_further_than_the_queue_allows():
    video = Counted()
    windows = decode_ahead(video, list(range(1, 201)), 2)
    for taken in range(1, 6):
        next(windows)
        time.sleep(0.05)
        # The one taken, those that wait, and the one that waits to be put there.
        assert video.decoded <= taken + AHEAD + 1 <= taken + 2  # about three windows are alive
    assert video.decoded > 5  # it went ahead
    windows.close()
    assert decoding_threads() == []


def test_an_error_of_decoding_is_the_callers():
    windows = decode_ahead(Counted(broken_at=1), list(range(1, 9)), 2)
    assert next(windows)[0] == [1, 2]
    with pytest.raises(InputError, match=r"clip\.mp4 ends after frame 3"):
        next(windows)
    assert decoding_threads() == []


def test_an_error_of_the_caller_ends_the_thread():
    def fail():
        for _ in decode_ahead(Counted(), list(range(1, 201)), 2):
            raise RuntimeError("networks")

    with pytest.raises(RuntimeError, match="networks"):
        fail()
    deadline = time.time() + 5
    while decoding_threads() and time.time() < deadline:
        time.sleep(0.01)
    assert decoding_threads() == []
