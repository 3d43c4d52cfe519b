from __future__ import annotations

import pytest
from mmengine.config import Config

from tpsparse.engine import options, precision
from tpsparse.engine.options import check_training, set_training_options
from tpsparse.errors import InputError

HOOKS = [dict(type="EpochSeedHook"), dict(type="ProgressHook")]


def config(**changes) -> Config:
    given = dict(optim_wrapper=dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1)), custom_hooks=HOOKS)
    return Config({**given, **changes}, filename=None)


def on(monkeypatch, device):
    for module in (options, precision):
        monkeypatch.setattr(module, "get_device", lambda: device)


@pytest.fixture(params=["cpu", "cuda"])
def device(request, monkeypatch):
    on(monkeypatch, request.param)
    return request.param


@pytest.fixture
def cpu(monkeypatch):
    on(monkeypatch, "cpu")


def test_no_option_changes_nothing():
    cfg = config()
    set_training_options(cfg)
    assert cfg.to_dict() == config().to_dict()


def test_precision_follows_the_processor(device):
    cfg = config()
    set_training_options(cfg, amp=True)
    assert cfg.train_precision == {"cpu": "bf16", "cuda": "fp16"}[device]


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        (dict(accumulate=4), "optim_wrapper.accumulative_counts", 4),
        (dict(accumulate=1), "optim_wrapper.accumulative_counts", 1),
        (dict(bf16=True), "train_precision", "bf16"),
        (dict(sync_bn=True), "sync_bn", "torch"),
        (dict(auto_scale_lr=True), "auto_scale_lr.enable", True),
        (dict(ema=0.01), "custom_hooks.2.momentum", 0.01),
    ],
)
def test_each_sets_one_value(option, key, value):
    """The same as the override of that value: --cfg-options KEY=VALUE."""
    cfg, expected = config(), config()
    set_training_options(cfg, **option)
    if "ema" in option:
        expected.custom_hooks = [*HOOKS, dict(type="EMAHook", momentum=value)]
    else:
        expected.merge_from_dict({key: value})
    assert cfg.to_dict() == expected.to_dict()


def test_scaling_keeps_the_batch_of_the_config():
    cfg = config(auto_scale_lr=dict(base_batch_size=16))
    set_training_options(cfg, auto_scale_lr=True)
    assert cfg.auto_scale_lr.to_dict() == dict(base_batch_size=16, enable=True)


def test_weights_are_averaged_once():
    cfg = config(custom_hooks=[dict(type="mmengine.EMAHook", momentum=0.5), *HOOKS])
    set_training_options(cfg, ema=0.1)
    assert [hook["type"] for hook in cfg.custom_hooks] == ["EpochSeedHook", "ProgressHook", "EMAHook"]
    assert cfg.custom_hooks[-1]["momentum"] == 0.1


def test_a_system_is_left_to_be_refused():
    cfg = Config(dict(model=dict(type="ActionParser")))
    set_training_options(cfg, amp=True, accumulate=2, ema=0.1)
    assert list(cfg.keys()) == ["model"]


class TestCheck:
    @pytest.mark.parametrize("scaling", [dict(enable=True), dict(enable=True, base_batch_size=None)])
    def test_unknown_batch(self, device, scaling):
        with pytest.raises(InputError, match="does not say for which batch .* auto_scale_lr.base_batch_size=N"):
            check_training(config(auto_scale_lr=scaling), "none")

    def test_float16_on_a_cpu(self, cpu):
        with pytest.raises(InputError, match="AmpOptimWrapper, which needs a GPU.*: use --bf16"):
            check_training(config(optim_wrapper=dict(type="AmpOptimWrapper")), "none")

    @pytest.mark.parametrize("launcher", ["pytorch", "slurm"])
    def test_sync_bn_on_cpus(self, cpu, launcher):
        with pytest.raises(InputError, match="asks for SyncBN.*GPUs only.*: leave --sync-bn out"):
            check_training(config(sync_bn="torch"), launcher)

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            dict(sync_bn="torch"),
            dict(auto_scale_lr=dict(base_batch_size=16)),
            dict(auto_scale_lr=dict(base_batch_size=16, enable=True)),
            dict(optim_wrapper=dict(type="MixedPrecisionOptimWrapper")),
        ],
    )
    def test_taken(self, device, changes):
        check_training(config(**changes), "none")

    def test_all_on_gpus(self, monkeypatch):
        on(monkeypatch, "cuda")
        check_training(config(sync_bn="torch", optim_wrapper=dict(type="AmpOptimWrapper")), "pytorch")
