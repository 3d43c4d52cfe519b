"""Names of a vocabulary as the words that a language model is given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
