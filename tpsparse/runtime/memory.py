"""Memory that is used again, in place of memory that is given back and asked for anew.

glibc gives every block above 32 MB back to the kernel when it is freed, and the next one of a network's activations is
fresh pages again, each of which costs a fault: about a quarter of the time of a ResNet-50 on large frames on the
virtual machine where it was measured. See mallopt(3), ``M_MMAP_MAX`` and ``M_TRIM_THRESHOLD``.
"""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, up to its highest need; whether that could be had.

    Only glibc knows these settings; elsewhere nothing changes. ``MALLOC_TRIM_THRESHOLD_`` and ``MALLOC_MMAP_MAX_`` in
    the environment are overruled.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(M_MMAP_MAX, 0) and library.mallopt(M_TRIM_THRESHOLD, NEVER))
