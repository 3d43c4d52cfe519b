"""Batches made ready for a network against its own data preprocessor, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import BaseDataElement
from mmpose.structures import PoseDataSample

from tpsparse.parsing.preparation import Batch, Preprocess, as_batch, normalising
from tpsparse.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
RGB = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
SAMPLES = {"Det": DetDataSample, "Img": BaseDataElement, "Pos": PoseDataSample, "Act": ActionDataSample}


@pytest.fixture(autouse=True)
def names_mean_ours(scope):
    """Preprocessors are built by name."""


@lru_cache
def found() -> list[Any]:
    """The data preprocessors of all networks that look at pictures, each once."""
    known = {}
    for path in sorted(CONFIGS.rglob("*.py")):
        cfg = {} if {"_base_", "systems", "studies"} & set(path.parts) else Config.fromfile(path)
        preprocessor = (cfg.get("model") or {}).get("data_preprocessor") or {}
        if str(preprocessor.get("type")).partition(".")[0] != "tpsparse" and preprocessor:
            known.setdefault(str(preprocessor), pytest.param(preprocessor, id=str(path.relative_to(CONFIGS))))
    return list(known.values())


def shape_of(kind: str, form: str | None) -> tuple[int, ...]:
    """Odd sides, so that padding shows."""
    if kind != "Act":
        return (2, 3, 37, 53)
    return (2, 4, 3, 5, 17, 19) if form == "NCTHW" else (2, 4, 3, 17, 19)


def some_batch(preprocessor: dict[str, Any], *, count: int = 2, seed: int = 0, colours: int = 3) -> Batch:
    kind = str(preprocessor["type"]).rpartition(".")[2][:3]
    shape = (count, *shape_of(kind, preprocessor.get("format_shape"))[1:])
    shape = tuple(colours if side == 3 else side for side in shape)
    inputs = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    samples = [SAMPLES[kind](metainfo=dict(number=number, img_shape=shape[-2:])) for number in range(count)]
    return Batch(inputs, samples)


def network(preprocessor: dict[str, Any]) -> Any:
    """What has such a preprocessor. Networks of mmdet and mmaction2 look theirs up by a plain name."""
    name = str(preprocessor["type"]).rpartition(".")[2]
    scope = {"Det": "mmdet.", "Img": "", "Pos": "mmpose.", "Act": "mmaction."}[name[:3]]
    return SimpleNamespace(data_preprocessor=MODELS.build(dict(preprocessor, type=f"{scope}{name}")))


def check(preprocess: Preprocess, model: Any, preprocessor: dict[str, Any], **batch: Any) -> None:
    wanted = model.data_preprocessor(as_batch(model, some_batch(preprocessor, **batch)), False)
    ready = preprocess(some_batch(preprocessor, **batch))
    assert ready["inputs"].dtype == wanted["inputs"].dtype and torch.equal(ready["inputs"], wanted["inputs"])
    assert set(ready) == set(wanted)
    for one, other in zip(ready["data_samples"], wanted["data_samples"], strict=True):
        assert type(one) is type(other) and one.metainfo == other.metainfo


def colours_of(preprocessor: dict[str, Any]) -> int:
    return len(preprocessor.get("mean") or [0, 0, 0])


def test_configs_have_some():
    assert {str(each.values[0]["type"]).rpartition(".")[2] for each in found()} == {
        "ActionDataPreprocessor",
        "DetDataPreprocessor",
        "ImgDataPreprocessor",
        "PoseDataPreprocessor",
    }


@pytest.mark.parametrize("preprocessor", found())
def test_every_config(preprocessor, monkeypatch):
    model = network(preprocessor)
    preprocess = Preprocess(model)
    check(preprocess, model, preprocessor, colours=colours_of(preprocessor))
    # It was not left to the preprocessor itself.
    monkeypatch.setattr(type(model.data_preprocessor), "forward", lambda *args: pytest.fail("called"))
    preprocess(some_batch(preprocessor, colours=colours_of(preprocessor)))


@pytest.mark.parametrize(
    "preprocessor",
    [
        dict(type="mmdet.DetDataPreprocessor", **RGB, pad_size_divisor=32, pad_value=7),
        dict(type="mmdet.DetDataPreprocessor", **RGB, bgr_to_rgb=True, pad_size_divisor=16),
        dict(type="mmdet.DetDataPreprocessor"),
        dict(type="ImgDataPreprocessor", mean=[127.5], std=[127.5]),
        dict(type="mmpose.PoseDataPreprocessor", **RGB, rgb_to_bgr=True, pad_size_divisor=4),
        dict(type="mmaction.ActionDataPreprocessor", **RGB, format_shape="NCTHW", to_rgb=True),
        dict(type="mmaction.ActionDataPreprocessor", **RGB, format_shape="NCHW", to_rgb=True),
        dict(type="mmaction.ActionDataPreprocessor", format_shape="NCTHW"),
        dict(type="mmaction.ActionDataPreprocessor", format_shape="NCHW", to_float32=False),
        dict(type="mmaction.ActionDataPreprocessor", format_shape="MIX2d3d"),
    ],
    ids=lambda each: " ".join(f"{name}={value}" for name, value in each.items() if name not in RGB),
)
def test_other_choices(preprocessor):
    model = network(preprocessor)
    check(Preprocess(model), model, preprocessor)


def test_one_batch_after_the_other():
    """Padding is made anew where the memory is used again: a smaller batch, a larger one, one of another size."""
    preprocessor = dict(type="mmdet.DetDataPreprocessor", **RGB, pad_size_divisor=32)
    model = network(preprocessor)
    preprocess = Preprocess(model)
    first = preprocess(some_batch(preprocessor, count=3))["inputs"]
    again = preprocess(some_batch(preprocessor, count=2, seed=1))["inputs"]
    assert again.data_ptr() == first.data_ptr()
    for count in (1, 5, 2):
        check(preprocess, model, preprocessor, count=count, seed=count)


def test_large_batches_are_not_kept(monkeypatch):
    preprocessor = dict(type="mmdet.DetDataPreprocessor", **RGB, pad_size_divisor=32)
    monkeypatch.setattr(normalising, "KEPT_BYTES", 4 * 2 * 3 * 64 * 64)
    monkeypatch.setattr(normalising, "_KEPT", normalising._Kept())
    model = network(preprocessor)
    preprocess = Preprocess(model)
    kept = preprocess(some_batch(preprocessor, count=2))["inputs"]
    for count in (3, 2):
        check(preprocess, model, preprocessor, count=count)
    large = preprocess(some_batch(preprocessor, count=3))["inputs"]
    assert large.data_ptr() != kept.data_ptr()


def test_memory_of_inference_is_memory_outside_of_it(monkeypatch):
    monkeypatch.setattr(normalising, "_KEPT", normalising._Kept())
    preprocessor = dict(type="ImgDataPreprocessor", **RGB)
    model = network(preprocessor)
    preprocess = Preprocess(model)
    with torch.inference_mode():
        check(preprocess, model, preprocessor)
    check(preprocess, model, preprocessor)


def test_each_thread_has_its_own_memory():
    preprocessor = dict(type="ImgDataPreprocessor", **RGB)
    preprocess = Preprocess(network(preprocessor))
    here = preprocess(some_batch(preprocessor))["inputs"]
    wanted = here.clone()
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(lambda: preprocess(some_batch(preprocessor, seed=1))["inputs"]).result()
    assert not torch.equal(here, there) and torch.equal(here, wanted)


def test_a_preprocessor_of_another_class_is_called():
    class Other(BaseDataPreprocessor):
        def forward(self, data, training):
            assert not training
            return dict(inputs=[len(each) for each in data["inputs"]], data_samples=data["data_samples"])

    model = SimpleNamespace(data_preprocessor=Other())
    ready = Preprocess(model)(Batch(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), ["a", "b"]))
    assert ready == dict(inputs=[3, 3], data_samples=["a", "b"])
