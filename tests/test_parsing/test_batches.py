from __future__ import annotations

import pytest

from tpsparse.parsing.batches import batches


@pytest.mark.parametrize(
    ("count", "size", "expected"), [(0, 2, []), (1, 2, [[0]]), (4, 2, [[0, 1], [2, 3]]), (3, 2, [[0, 1], [2]])]
)
def test_batches(count, size, expected):
    assert list(batches(list(range(count)), size)) == expected
