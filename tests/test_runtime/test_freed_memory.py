"""Freed memory that stays with the process: told by the page faults of the second of two equal allocations."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tpsparse.runtime import memory

CODE = """
import resource, sys
import torch
from tpsparse.runtime.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(10 << 20)  # 40 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_the_second_block_costs_no_faults():
    found = {
        way: int(subprocess.run([sys.executable, "-c", CODE, way], capture_output=True, text=True, check=True).stdout)
        for way in ("given back", "kept")
    }
    assert found["given back"] > 2 * found["kept"]


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: pytest.fail("asked"))
    assert not memory.keep_freed_memory()
