"""A mend for mmaction2's multimodal models where transformers is installed."""

from __future__ import annotations

from types import ModuleType

MODULE = "mmaction.utils.dependency"


def leave_out_multimodal(module: ModuleType) -> None:
    """Let ``mmaction.models`` be imported beside transformers.

    Breaks: since mmaction2 1.2.0, where transformers of 4.28 or later is installed ``mmaction.models`` imports its
    VindLU models, which import timm without its being asked for, and names that transformers has dropped in version 5.
    Detected: always done; nothing here uses these models.
    Put in its place: what mmaction2 does without transformers, placeholders that refuse to be built.

    Args:
        module: ``mmaction.utils.dependency``.
    """
    module.WITH_MULTIMODAL = False  # type: ignore[attr-defined]
