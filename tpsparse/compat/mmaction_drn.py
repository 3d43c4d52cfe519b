"""Stand-in for ``mmaction.models.localizers.drn.drn``, which the wheel of mmaction2 lacks.

Breaks: since mmaction2 1.0, the folder ``drn`` has no ``__init__.py``, so building the wheel leaves it out, while
``mmaction.models.localizers`` imports DRN from it; ``import mmaction.models`` fails (mmaction2 issue 2714, up to the
last release, 1.2.0).
Detected: no other finder knows the module; a checkout that has it always wins.
Put in its place: a class that is registered by the name and refuses to be built. Nothing here uses DRN.
"""

from __future__ import annotations

from typing import Any

from mmaction.registry import MODELS


@MODELS.register_module()
class DRN:
    """Refuses to be built: the network's code is missing from the wheel.

    Raises:
        NotImplementedError: Always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "the wheel of mmaction2 lacks the localizer DRN: install mmaction2 from a source checkout to use it"
        )
