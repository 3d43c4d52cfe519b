"""What must be known of videos under way after the death of a worker, or of the driver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..structures.files import remove_partials, write_json, writing_told
from .folder import Folder, Item, read_json

MOST_DEATHS, MOST_LOSSES = 2, 5
"""Workers, and machines with them or not, that a video may take along before it is set aside. A machine that goes away
is seldom the video's fault."""


class Journal:
    """Which videos are under way, and which have lost their worker, kept in files.

    The end of a driver says nothing against the videos that were under way: they are only told apart (``left``), so
    that a run goes through all others first.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        under_way, deaths, failures = (folder.root / name for name in ("under_way", "deaths", "failures"))
        for place in (under_way, deaths, failures):
            place.mkdir(exist_ok=True)
        for place in (deaths, *failures.iterdir()):
            remove_partials(place)
        self.left, self._dead = _keys(under_way), _keys(deaths)
        for key in self.left:
            folder.remove_partials(key)

    def begin(self, item: Item, worker: dict[str, Any]) -> None:
        """Note that a worker is given a video.

        Raises:
            InputError: If there is no room to write.
        """
        path = self.folder.marker(item.key)
        with writing_told(path):
            # Not moved into place: the name alone counts.
            path.write_text(json.dumps({"video": item.path, **worker}), encoding="utf-8")

    def end(self, item: Item) -> None:
        """Note that what has come of a video is written."""
        self.forget(item)
        self._leave(item.key)

    def suspects(self, item: Item) -> bool:
        """Whether a worker, or the driver, has died over a video."""
        return item.key in self.left or item.key in self._dead

    def deaths(self, item: Item) -> list[dict[str, Any]]:
        """The workers that have died on a video, in this run and earlier ones."""
        return list(read_json(self.folder.deaths(item.key)).get("deaths", [])) if item.key in self._dead else []

    def died(self, item: Item, error: str, *, with_machine: bool) -> bool:
        """Note that a worker has died on a video; whether the video is to be set aside.

        Raises:
            InputError: If there is no room to write.
        """
        known = [*self.deaths(item), {"error": error, "with_machine": with_machine}]
        path = self.folder.deaths(item.key)
        with writing_told(path):
            write_json(path, {"video": item.path, "deaths": known})
        self._dead.add(item.key)
        self.folder.remove_partials(item.key)
        self._leave(item.key)
        alone = sum(not death["with_machine"] for death in known)
        return alone >= MOST_DEATHS or len(known) >= MOST_LOSSES

    def forget(self, item: Item) -> None:
        """Forget the deaths on a video that is done, is given another chance, or is another video now."""
        if item.key in self._dead:
            self._dead.discard(item.key)
            self.folder.deaths(item.key).unlink(missing_ok=True)

    def _leave(self, key: str) -> None:
        """Note that no worker has a video now."""
        self.left.discard(key)
        self.folder.marker(key).unlink(missing_ok=True)


def _keys(folder: Path) -> set[str]:
    """Of the videos that a folder has notes of."""
    return {path.stem for path in folder.glob("*.json") if not path.name.startswith(".")}
