"""Names of a vocabulary as the words that a language model is given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import InputError

NO_OBJECT = "nothing"
"""What stands for an object where a person deals with none."""
_SIGNS = re.compile(r"[_()\[\]{}]")


def spoken(name: str, given: Mapping[str, str] | None = None) -> str:
    """The words of a name: ``hurling_(sport)`` is "hurling sport".

    Underscores and brackets become spaces; what the brackets hold stays. Letters keep their case: an uncased model's
    tokenizer lowers them itself, and a cased one has another word for ``Rope`` than for ``rope``.

    Args:
        name: Of a part, a state or an object.
        given: Name to the words to say instead, where the name's own are unknown to the model or say something else.

    Returns:
        Words with single spaces between them; empty if the name has none.
    """
    return " ".join(_SIGNS.sub(" ", (given or {}).get(name, name)).split())


def spoken_all(names: Sequence[str], given: Mapping[str, str] | None = None) -> list[str]:
    """The words of each name, see :func:`spoken`."""
    return [spoken(name, given) for name in names]


def check_given(given: Any, names: Sequence[str]) -> None:
    """Refuse words that are said instead of no name, or that are none.

    Args:
        given: Name to the words to say instead, as a user has written it; None for none.
        names: All that may be named.

    Raises:
        InputError: With the name, and the nearest one that there is.
    """
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise InputError(
            f"words of the language model are {given!r}: give words by name, as in words=dict(bend='fold')"
        )
    for name, words in given.items():
        if name not in names:
            near = get_close_matches(str(name), names, n=1)
            meant = f" (nearest: {near[0]})" if near else ""
            raise InputError(f"words are given for {name}, which no list of the data set has{meant}: correct the name")
        if not isinstance(words, str):
            raise InputError(f"words for {name} are {words!r}, which is no text: write them in quotes")
