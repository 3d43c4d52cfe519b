from __future__ import annotations

import pytest
from mmengine.config import Config

from tpsparse import apis
from tpsparse.errors import InputError


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (dict(type="ActionParser"), True),
        (dict(type="tpsparse.ActionParser"), True),
        (dict(type="X"), False),
        (None, False),
    ],
)
def test_is_system(model, expected):
    assert apis.is_system(Config({} if model is None else dict(model=model))) is expected


@pytest.mark.parametrize("error", [TypeError("a\nb"), KeyError("a\nb"), ValueError("a\nb")])
def test_config_that_cannot_be_built(error):
    told = r"^config net\.py cannot be built \(a\): correct it or the --cfg-options$"
    with pytest.raises(InputError, match=told) as caught, apis.building.building("net.py"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [InputError("x is empty: replace it"), RuntimeError("a bug")])
def test_other_errors_in_building_are_left(error):
    with pytest.raises(type(error)) as caught, apis.building.building("net.py"):
        raise error
    assert caught.value is error
