"""What a data set has read and keeps, so that later epochs need not read it again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

KEPT_BYTES = 1 << 28
"""Room of a data set in one process. Reading a file of features takes as long as a step of a network that eats them."""
Item = TypeVar("Item")


class Kept(Generic[Item]):
    """Items by key, as long as there is room.

    Nothing is dropped for another: in random order the next to be asked for may be any, so that the share that is kept
    serves as well as any other.

    Args:
        max_bytes: Of all items together.
    """

    def __init__(self, max_bytes: int = KEPT_BYTES) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._items: dict[Hashable, Item] = {}

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> Item | None:
        """The item; None if it is not kept."""
        return self._items.get(key)

    def has_room(self, num_bytes: int) -> bool:
        """Whether an item of that size would be kept."""
        return self.num_bytes + num_bytes <= self.max_bytes

    def keep(self, key: Hashable, item: Item, num_bytes: int) -> None:
        """Keep an item if there is room; a key that is there already keeps its own."""
        if key not in self._items and self.has_room(num_bytes):
            self._items[key] = item
            self.num_bytes += num_bytes
