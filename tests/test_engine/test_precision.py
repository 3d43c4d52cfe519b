"""Mixed precision: what the wrapper does, and two iterations of every quick network in bfloat16 and in float32."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from tpsparse.engine import FitHook, MixedPrecisionOptimWrapper, load_config, precision, set_precision
from tpsparse.engine.precision import check_precision, keep_losses_wide
from tpsparse.errors import InputError
from tpsparse.models.losses import softmax_focal_loss
from tpsparse.registry import DATASETS, MODELS

REPOSITORY = Path(__file__).resolve().parents[2]
if str(REPOSITORY / "benchmarks") not in sys.path:
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import training_speed  # it knows how each quick config is trained by itself  # noqa: E402

TRAININGS = training_speed.trainings()
# Networks that choose by their own output what they learn from: proposals, anchors. Rounded, it chooses others.
CHOOSING = ("cascade-rcnn", "faster-rcnn", "yolof")


def config(**changes) -> Config:
    wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1), clip_grad=dict(max_norm=1))
    return Config({"optim_wrapper": wrapper, **changes}, filename=None)


def on(monkeypatch, device: str) -> None:
    monkeypatch.setattr(precision, "get_device", lambda: device)


class TestSetPrecision:
    def test_not_asked_for(self):
        cfg = config()
        set_precision(cfg)
        assert cfg.to_dict() == config().to_dict()

    @pytest.mark.parametrize(("value", "dtype"), [("bf16", "bfloat16"), ("fp16", "float16")])
    def test_sets_the_wrapper_and_keeps_the_rest(self, value, dtype):
        cfg = config(train_precision=value)
        set_precision(cfg)
        expected = dict(config().optim_wrapper.to_dict(), type="MixedPrecisionOptimWrapper", dtype=dtype)
        assert cfg.optim_wrapper.to_dict() == expected

    def test_float32_undoes_it(self):
        cfg = config(train_precision="bf16")
        set_precision(cfg)
        cfg.train_precision = "fp32"
        set_precision(cfg)
        assert cfg.optim_wrapper.to_dict() == config().optim_wrapper.to_dict()

    @pytest.mark.parametrize("wrapper", [{}, None])
    def test_nothing_to_learn_by(self, wrapper):
        cfg = config(train_precision="bf16", optim_wrapper=wrapper)
        set_precision(cfg)
        check_precision(cfg)
        assert not cfg.optim_wrapper

    @pytest.mark.parametrize("value", ["bfloat16", "", 16, "FP32"])
    def test_unknown(self, value):
        with pytest.raises(InputError, match=r"has train_precision .*: use fp32, bf16, fp16"):
            set_precision(config(train_precision=value))

    @pytest.mark.parametrize("wrapper", [dict(type="AmpOptimWrapper"), dict(type="X", dtype="float16")])
    def test_float16_needs_a_gpu(self, monkeypatch, wrapper):
        on(monkeypatch, "cpu")
        with pytest.raises(InputError, match="float16|AmpOptimWrapper.*needs a GPU.*: use --bf16"):
            check_precision(config(optim_wrapper=wrapper))
        on(monkeypatch, "cuda")
        check_precision(config(optim_wrapper=wrapper))

    def test_bfloat16_does_not(self, monkeypatch):
        on(monkeypatch, "cpu")
        check_precision(config(optim_wrapper=dict(type="MixedPrecisionOptimWrapper", dtype="bfloat16")))


def wrapper_of(model: nn.Module, **kwargs) -> MixedPrecisionOptimWrapper:
    return MixedPrecisionOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9), **kwargs)


class TestWrapper:
    def test_forward_is_in_half_precision_and_weights_are_not(self):
        torch.manual_seed(0)
        model = nn.Linear(3, 1)
        wrapper = wrapper_of(model)
        inputs = torch.randn(4, 3)
        with wrapper.optim_context(model):
            output = model(inputs)
        assert output.dtype == torch.bfloat16
        torch.testing.assert_close(output.float(), model(inputs), atol=0.02, rtol=0.02)
        before = model.weight.clone()
        wrapper.update_params(output.float().sum())
        assert model.weight.dtype == torch.float32
        torch.testing.assert_close(model.weight, before - 0.5 * inputs.sum(0), atol=0.05, rtol=0)

    def test_gradients_are_clipped_and_accumulated(self):
        """Two batches with gradients (3, 4) and (9, 12) of a mean of (6, 8): cut to length 5, they are (3, 4)."""
        model = nn.Linear(2, 1, bias=False)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        wrapper = MixedPrecisionOptimWrapper(optimizer, accumulative_counts=2, clip_grad=dict(max_norm=5.0))
        before = model.weight.detach().clone()
        for inputs in ([[3.0, 4.0]], [[9.0, 12.0]]):
            with wrapper.optim_context(model):
                loss = model(torch.tensor(inputs)).float().sum()
            wrapper.update_params(loss)
        torch.testing.assert_close(model.weight, before - torch.tensor([[3.0, 4.0]]))

    def test_state_goes_into_another_precision_and_back(self):
        model = nn.Linear(2, 1)
        half, full = wrapper_of(model), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9))
        half.update_params(model(torch.ones(1, 2)).sum())
        state = half.state_dict()
        assert state.keys() == full.state_dict().keys()
        full.load_state_dict(copy.deepcopy(state))
        half.load_state_dict(full.state_dict())
        half.load_state_dict({**copy.deepcopy(state), "loss_scaler": {"scale": 4.0}})  # of float16
        [momentum] = [value["momentum_buffer"] for key, value in half.optimizer.state_dict()["state"].items() if key]
        assert momentum.dtype == torch.float32 and momentum.tolist() == [1.0]

    @pytest.mark.parametrize("name", ["MixedPrecisionOptimWrapper", "BFloat16OptimWrapper"])
    def test_both_names(self, name):
        wrapper = build_optim_wrapper(nn.Linear(1, 1), dict(type=name, optimizer=dict(type="SGD", lr=0.1)))
        assert type(wrapper) is MixedPrecisionOptimWrapper and wrapper.cast_dtype == torch.bfloat16

    def test_float16_without_a_gpu(self, monkeypatch):
        on(monkeypatch, "cpu")
        with pytest.raises(InputError, match="'float16', which needs a GPU.*: use bfloat16"):
            wrapper_of(nn.Linear(1, 1), dtype="float16")

    def test_unknown_type(self):
        with pytest.raises(InputError, match="optim_wrapper.dtype is 'float32': use bfloat16, or float16 on a GPU"):
            wrapper_of(nn.Linear(1, 1), dtype="float32")


class SomeLoss(nn.Module):
    def forward(self, values, target, weight=None):
        self.seen = values.dtype, target.dtype, None if weight is None else weight.dtype
        return (values - target).sum()


class TestKeepLossesWide:
    def test_losses_are_given_float32(self):
        model = nn.Module()
        model.linear, model.loss_box = nn.Linear(2, 2), SomeLoss()
        wrapper, target = wrapper_of(model), torch.tensor([1, 2])
        for _ in range(2):
            with wrapper.optim_context(model):
                output = model.linear(torch.ones(1, 2))
                loss = model.loss_box(output, target, weight=output)
        assert output.dtype == torch.bfloat16 and loss.dtype == torch.float32
        assert model.loss_box.seen == (torch.float32, torch.int64, torch.float32)
        assert len(model.loss_box._forward_pre_hooks) == 1  # the second iteration adds none

    @pytest.mark.parametrize("path", ["cls_head", "head.final_layer"])
    def test_scores_are_floats_that_numpy_has(self, path):
        model = nn.Module()
        model.cls_head, model.head = nn.Linear(3, 2), nn.Module()
        model.head.final_layer = nn.Linear(3, 2)
        last = model.get_submodule(path)
        for _ in range(2):
            keep_losses_wide(SimpleNamespace(module=model))  # as several processes have it
            with torch.autocast("cpu", torch.bfloat16):
                assert last(torch.ones(1, 3)).detach().numpy().dtype == "float32"
        assert len(last._forward_hooks) == 1

    def test_own_loss_of_half_precision(self):
        """Cross entropy of 0 and 4.03125, which bfloat16 has: log(1 + e^4.03125) in float32."""
        logits = torch.tensor([[0.0, 4.03125]], dtype=torch.bfloat16)
        loss = softmax_focal_loss(logits, torch.tensor([0]), gamma=0)
        assert loss.dtype == torch.float32 and loss.item() == pytest.approx(np.log1p(np.exp(4.03125)), rel=1e-6)
        assert softmax_focal_loss(logits.double(), torch.tensor([0]), gamma=0).dtype == torch.float64


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return training_speed.prepare(tmp_path_factory.mktemp("precision"), None, None, quick=True)


@pytest.mark.parametrize("name", TRAININGS)
def test_every_network_learns_in_bfloat16(name, places):
    """Two iterations: finite, gradients and weights of 32 bits, and the first loss is that of float32, nearly."""
    init_default_scope("tpsparse")
    cfg = load_config(TRAININGS[name], options=training_speed.options_of(TRAININGS[name], places))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[number % len(dataset), number] for number in range(4)])
    full, layers = losses_of(cfg, dataset, batch, "fp32")
    assert layers == {torch.float32}
    half, layers = losses_of(cfg, dataset, batch, "bf16")
    assert torch.bfloat16 in layers
    assert half[0] == pytest.approx(full[0], rel=0.06 if any(kind in name for kind in CHOOSING) else 0.03)
    assert np.isfinite(half).all() and half[1] != half[0]


def losses_of(cfg: Config, dataset, batch, value: str) -> tuple[list[float], set[torch.dtype]]:
    """The loss of two steps on one batch, and the types that layers with weights have given."""
    torch.manual_seed(0)
    cfg = copy.deepcopy(cfg)
    cfg.train_precision = value
    set_precision(cfg)
    model = MODELS.build(cfg.model)
    if "FitHook" in [hook.type for hook in cfg.custom_hooks]:
        loader = SimpleNamespace(dataset=dataset, num_workers=0)
        FitHook().before_train(SimpleNamespace(model=model, train_dataloader=loader, epoch=0, iter=0))
    model.train()
    seen: set[torch.dtype] = set()
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            module.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = []
    for step in range(2):
        torch.manual_seed(step)
        np.random.seed(step)
        with wrapper.optim_context(model):
            data = model.data_preprocessor(copy.deepcopy(batch), True)
            loss, logged = model.parse_losses(model._run_forward(data, mode="loss"))
        assert {each.dtype for key, each in logged.items() if "loss" in key} == {torch.float32}
        wrapper.backward(loss)
        learned = [weight for weight in model.parameters() if weight.grad is not None]
        assert learned and all(each.grad.dtype == each.dtype == torch.float32 for each in learned)
        assert all(each.grad.isfinite().all() for each in learned)
        wrapper.step()
        wrapper.zero_grad()
        losses.append(loss.item())
    return losses, seen


class TestTool:
    """tools/train.py --bf16."""

    @pytest.fixture
    def config(self, narrow_parts, tiny_root, tmp_path):
        return narrow_parts(tmp_path / "narrow.py", tiny_root)

    def weights(self, folder, key="state_dict"):
        return torch.load(folder / "epoch_3.pth", weights_only=True)[key]

    def test_goes_on_in_either_precision(self, config, run_tool, tmp_path):
        without_worker = ("--cfg-options", "train_dataloader.num_workers=0")
        train = ("train", config, "--work-dir", tmp_path / "run", *without_worker)
        assert run_tool(*train, "--bf16") == 0
        whole = self.weights(tmp_path / "run")
        assert {value.dtype for value in whole.values()} == {torch.float32, torch.int64}
        dumped = Config.fromfile(tmp_path / "run" / config.name)
        assert (dumped.train_precision, dumped.optim_wrapper.type) == ("bf16", "MixedPrecisionOptimWrapper")
        again = {}
        for given in ("--bf16", None):
            (tmp_path / "run" / "epoch_3.pth").unlink()
            (tmp_path / "run" / "last_checkpoint").write_text("epoch_2.pth")
            assert run_tool(*train, "--resume", *filter(None, [given])) == 0
            again[given] = self.weights(tmp_path / "run")
        assert all(value.equal(again["--bf16"][name]) for name, value in whole.items())
        assert not all(value.equal(again[None][name]) for name, value in whole.items())

    def test_all_ways_to_say_it(self, narrow_parts, tiny_root, run_tool, tmp_path):
        ways = {
            "option": ["--bf16", "--cfg-options"],
            "value": ["--cfg-options", "train_precision=bf16"],
            "wrapper": ["--cfg-options", "optim_wrapper.type=MixedPrecisionOptimWrapper"],
        }
        fewer = {"train_cfg.max_epochs": 1, "train_dataloader.num_workers": 0, "train_dataloader.dataset.frame_step": 6}
        config = narrow_parts(tmp_path / "narrow.py", tiny_root, **fewer)
        found = []
        for way, arguments in ways.items():
            assert run_tool("train", config, "--work-dir", tmp_path / way, *arguments, "randomness.seed=3") == 0
            found.append(torch.load(tmp_path / way / "epoch_1.pth", weights_only=True)["state_dict"])
        for other in found[1:]:
            assert all(value.equal(other[name]) for name, value in found[0].items())

    def test_one_precision_at_a_time(self, config, run_tool, tmp_path, capsys):
        with pytest.raises(SystemExit):
            run_tool("train", config, "--bf16", "--amp")
        assert "not allowed with argument" in capsys.readouterr().err
