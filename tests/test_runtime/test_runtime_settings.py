"""The runtime block, from a config or the command line to the networks of a system and the stamp of its records."""

from __future__ import annotations

import pytest
import torch
from tiny import QUICK_SYSTEM

from tpsparse import apis
from tpsparse.cli import with_runtime
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing.base import NetworkStage
from tpsparse.runtime import PRESETS, Runtime, networks, precision


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("exact", Runtime("fp32", "channels_last", fuse=True)),
        ("fast", Runtime("bf16", "channels_last", fuse=True, backend="fastest", batch_persons=16)),
        ({}, PRESETS["exact"]),
        (dict(preset="fast", backend="torch"), Runtime("bf16", "channels_last", fuse=True, batch_persons=16)),
        (dict(batch_frames=3), Runtime("fp32", "channels_last", fuse=True, batch_frames=3)),
        (Runtime(compile=True), Runtime(compile=True)),
    ],
)
def test_of(given, expected):
    assert Runtime.of(given) == expected


def test_changed_by_a_stage():
    own = Runtime("bf16", batch_frames=3)
    assert own.changed({}) == own
    assert own.changed(dict(batch_frames=1)) == Runtime("bf16", batch_frames=1)
    assert own.changed("exact") == own.changed(dict(preset="exact")) == PRESETS["exact"]
    assert own.changed(dict(preset="exact", fuse=False)) == Runtime("fp32", "channels_last")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("faster", "runtime 'faster' is not known: name one of exact, fast, or give values"),
        (dict(preset="faster"), "runtime 'faster' is not known"),
        (3, "runtime is 3: name one of exact, fast, or give values"),
        (["fast"], r"runtime is \['fast'\]: name one of"),
        (None, "runtime is None: name one of"),
        (dict(precison="bf16"), "runtime has no precison: its values are precision, memory_format"),
        (dict(precision="int8"), "runtime.precision is 'int8': give one of fp32, bf16, fp16"),
        (dict(fuse=1), "runtime.fuse is 1: give True or False"),
        (dict(batch_frames=0), "runtime.batch_frames is 0: give a whole number from 1"),
        (dict(batch_persons=True), "runtime.batch_persons is True: give a whole number from 1"),
        (dict(backend="onnx", compile=True), "runtime.compile is of PyTorch, and runtime.backend is onnx"),
    ],
)
def test_refused(given, told):
    with pytest.raises(InputError, match=told):
        Runtime.of(given)


def test_batches_are_no_part_of_the_identity():
    assert Runtime(batch_frames=1).identity() == Runtime(batch_persons=7).identity()
    assert Runtime().identity() != Runtime("bf16").identity()


CHILD = "_base_ = {base!r}\nruntime = dict(precision='bf16', backend='torch')\n"


@pytest.mark.parametrize(
    ("options", "asked", "expected"),
    [
        ({}, None, dict(precision="bf16", backend="torch")),
        ({}, "fast", dict(precision="bf16", backend="torch", batch_persons=16)),
        ({"runtime.batch_frames": 2}, None, dict(precision="bf16", backend="torch", batch_frames=2)),
        ({"runtime.precision": "fp32"}, "fast", dict(precision="fp32", backend="torch", batch_persons=16)),
    ],
)
def test_a_child_config_and_the_command_line(tmp_path, tiny_taxonomy, options, asked, expected):
    config = tmp_path / "child.py"
    config.write_text(CHILD.format(base=str(QUICK_SYSTEM)))
    cfg = load_config(config, options=with_runtime(options, asked), taxonomy=tiny_taxonomy, label_table={})
    assert Runtime.of(cfg.model.runtime) == Runtime.of(dict(memory_format="channels_last", fuse=True, **expected))


class TestSystem:
    """The quick system with random weights."""

    @pytest.fixture
    def build(self, quick_work_dir, tiny_root):
        def build(runtime=None, **options):
            options = {
                "data_root": str(tiny_root),
                **{name.replace("__", "."): value for name, value in options.items()},
            }
            return apis.build_parser(QUICK_SYSTEM, work_dir=quick_work_dir, options=options, runtime=runtime)[0]

        return build

    def runtimes(self, parser):
        return {type(stage).__name__: stage.runtime for stage in parser.stages if isinstance(stage, NetworkStage)}

    def test_what_was_asked_for_reaches_the_networks(self, build, monkeypatch):
        monkeypatch.setattr(precision, "_multiplies_bf16", lambda: True)
        exact = self.runtimes(build())
        assert len(exact) >= 3 and set(exact.values()) == {PRESETS["exact"]}
        lowered = build("fast", runtime__backend="torch")
        assert {each.precision for each in self.runtimes(lowered).values()} == {"bf16"}
        for stage in (each for each in lowered.stages if isinstance(each, NetworkStage)):
            dtypes = {weight.dtype for weight in stage.network.model.parameters()}
            assert torch.bfloat16 in dtypes or type(stage).__name__ == "FuseFeatures", type(stage)

    def test_stamps_say_what_did_run(self, build, monkeypatch):
        """Records of two machines of one config must not pass for each other's."""
        stamps = [build().fingerprint, build("fast", runtime__backend="torch").fingerprint]
        assert build(runtime__batch_frames=1).fingerprint == stamps[0]
        monkeypatch.setattr(precision, "_multiplies_bf16", lambda: False)
        stamps += [build("fast", runtime__backend="torch").fingerprint]
        # Without bf16 it is what exact is.
        assert stamps[2] == stamps[0] != stamps[1]
        monkeypatch.setattr(precision, "_multiplies_bf16", lambda: True)
        monkeypatch.setattr(networks, "fastest_engine", lambda *_: "torch")
        assert build("fast").fingerprint == stamps[1]
