"""TransParser on plain tensors and through the runner. N instances, T frames, D = 8 channels, M patterns."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import tiny_tapos
import torch
from torch.nn import functional

from tpsparse.models import losses
from tpsparse.models.temporal_parsing import TransParser
from tpsparse.models.temporal_parsing.local_loss import local_loss
from tpsparse.structures.temporal import TemporalSample

REPOSITORY = Path(__file__).resolve().parents[3]
QUICK = REPOSITORY / "configs/quick/temporal_parsing"
CHILDREN = ("transparser_1xsps_1xb8_synthetic.py", "transparser_1xsps_1xb8_synthetic_no-local-loss.py")


def parser(seed=0, **arguments):
    torch.manual_seed(seed)
    return TransParser(8, 3, **{"unit": dict(num_patterns=4), **arguments})


def batch(*instances, seed=0):
    """Features and samples of instances given by length, boundaries and label."""
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(length, 8, generator=generator) for length, _, _ in instances]
    samples = [
        TemporalSample.of(f"é {number}/a (b)", length, torch.tensor(boundaries, dtype=torch.int64), label=label)
        for number, (length, boundaries, label) in enumerate(instances)
    ]
    return inputs, samples


class TestParsing:
    def test_a_boundary_where_the_most_active_pattern_changes(self, monkeypatch):
        model = parser()
        responses = torch.tensor([[0.4, 0.4, 0.2], [0.5, 0.3, 0.2], [0.3, 0.5, 0.2], [0.1, 0.45, 0.45], [0, 0, 1.0]])
        monkeypatch.setattr(model, "refine", lambda frames: (frames, responses))
        found = model.parse(torch.zeros(5, 8))
        # Of equals the first: frame 0 is of pattern 0, frame 3 of pattern 1.
        assert found.boundaries.tolist() == [2, 4] and found.boundaries.dtype == torch.int64
        assert found.responses is responses and found.scores is None

    def test_a_window_takes_flickers_out(self, monkeypatch):
        # Pattern 0 has 1, 2/3, 2/3, 1/3, 1/3, 0 of three frames, at the ends of two; of all six a half, which is a tie.
        active = torch.tensor([0, 0, 1, 0, 1, 1])
        found = []
        for window in (1, 3, 99):
            model = parser(window=window)
            monkeypatch.setattr(model, "refine", lambda frames: (frames, torch.eye(2)[active]))
            found.append(model.parse(torch.zeros(6, 8)))
        assert [each.boundaries.tolist() for each in found] == [[2, 3, 4], [3], []]
        assert all(each.responses.equal(torch.eye(2)[active]) for each in found)

    @pytest.mark.parametrize("window", [0, 2, -1])
    def test_windows_without_a_middle(self, window):
        with pytest.raises(ValueError, match=f"window is {window}, expected an odd number"):
            parser(window=window)

    def test_one_frame_and_no_change(self):
        found = parser(window=5).parse(torch.randn(1, 8))
        assert found.boundaries.shape == (0,) and found.responses.shape == (1, 4)
        assert parser().parse(torch.zeros(6, 8)).boundaries.tolist() == []

    def test_predicted_samples(self):
        inputs, samples = batch((6, [2], 0), (9, [], -1))
        told = parser().eval()(inputs, samples, mode="predict")
        assert [sample.responses.shape for sample in told] == [(6, 4), (9, 4)]
        assert all(sample.pred_boundaries.ndim == 1 for sample in told) and told[0].boundaries.tolist() == [2]

    def test_the_last_unit_responds(self):
        model, frames = parser(num_units=2), torch.randn(5, 8)
        first, _ = model.units[0](frames)
        refined, responses = model.units[1](first)
        torch.testing.assert_close(model.refine(frames), (refined, responses))
        assert len(parser(num_units=1).units) == 1


class TestLoss:
    def test_each_instance_by_itself(self):
        model = parser(local_weight=2.0, regularizer=0.3)
        inputs, samples = batch((6, [2], 1), (9, [4, 5], 0), (4, [], 2))
        found = model(inputs, samples, mode="loss")
        locals_, globals_ = [], []
        for features, sample in zip(inputs, samples):
            refined, responses = model.refine(features)
            logits = (refined @ model.classifier.weight.T).mean(dim=0)
            globals_.append(functional.nll_loss(logits.log_softmax(0)[None], torch.tensor([sample.label])))
            if len(sample.boundaries):
                locals_.append(local_loss(responses, sample.boundaries, 0.3))
        torch.testing.assert_close(found["loss_global"], torch.stack(globals_).mean())
        torch.testing.assert_close(found["loss_local"], 2 * torch.stack(locals_).mean())
        assert set(found) == {"loss_global", "loss_local", "acc_action"}

    def test_unknown_labels_and_no_boundaries_cost_only_themselves(self):
        model = parser()
        inputs, samples = batch((6, [2], 1), (9, [], -1), (5, [3], -1))
        found = model(inputs, samples, mode="loss")
        alone = model(inputs[:1], samples[:1], mode="loss")
        torch.testing.assert_close(found["loss_global"], alone["loss_global"])
        third = model(inputs[2:], samples[2:], mode="loss")
        torch.testing.assert_close(found["loss_local"], (alone["loss_local"] + third["loss_local"]) / 2)

    def test_a_batch_that_says_nothing_has_gradients_of_zero(self):
        model = parser()
        inputs, samples = batch((1, [], -1), (7, [], -1))
        found = model(inputs, samples, mode="loss")
        (found["loss_global"] + found["loss_local"]).backward()
        assert found["loss_global"].item() == found["loss_local"].item() == 0
        assert all(each.grad is not None and each.grad.eq(0).all() for each in model.parameters())

    def test_without_the_local_loss(self):
        inputs, samples = batch((6, [2], 1))
        assert set(parser(local_weight=0.0)(inputs, samples, mode="loss")) == {"loss_global", "acc_action"}

    def test_two_processes_train_as_one(self, monkeypatch):
        """The mean of the gradients of processes with 1 and 2 instances is that of one process with 3."""
        model = parser()
        inputs, samples = batch((6, [2], 1), (9, [4], 0), (5, [], 2))
        whole = _gradients(model, inputs, samples)
        # Both counts, of labels and of boundaries, over the two processes.
        means = {1: (3 / 2, 2 / 2), 2: (3 / 2, 2 / 2)}
        parts = []
        for own in (slice(0, 1), slice(1, 3)):
            counts = iter(means[own.stop - own.start])
            monkeypatch.setattr(losses, "all_reduce", lambda mean, op, counts=counts: mean.fill_(next(counts)))
            parts.append(_gradients(model, inputs[own], samples[own]))
        for one, first, second in zip(whole, *parts):
            torch.testing.assert_close(one, (first + second) / 2, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize(
        "arguments", [dict(num_units=0), dict(regularizer=0.0), dict(local_weight=-1.0), dict(regularizer=-0.5)]
    )
    def test_numbers_that_make_no_sense(self, arguments):
        with pytest.raises(ValueError, match="expected at least"):
            parser(**arguments)


def _gradients(model, inputs, samples):
    model.zero_grad()
    found = model(inputs, samples, mode="loss")
    (found["loss_global"] + found["loss_local"]).backward()
    return [each.grad.clone() for each in model.parameters()]


def test_it_learns_to_tell_sub_actions_apart():
    """Two kinds of frames in turns: after some steps every boundary is found and no other."""
    generator = torch.Generator().manual_seed(0)
    kinds = 2 * torch.randn(2, 8, generator=generator)
    inputs, samples = [], []
    for number in range(8):
        boundary = 5 + number
        noise = 0.1 * torch.randn(20, 8, generator=generator)
        inputs.append(kinds[(torch.arange(20) >= boundary).long()] + noise)
        samples.append(TemporalSample.of(f"v/{number}", 20, torch.tensor([boundary]), label=0))
    model = parser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        sum(value for name, value in model(inputs, samples, mode="loss").items() if "loss" in name).backward()
        optimizer.step()
    told = model(inputs, samples, mode="predict")
    assert [sample.pred_boundaries.tolist() for sample in told] == [sample.boundaries.tolist() for sample in samples]
    assert math.isfinite(sum(each.sum().item() for each in model.parameters()))


class TestConfigs:
    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        return tiny_tapos.write_instances(tmp_path_factory.mktemp("tapos") / "é (data)")

    @staticmethod
    def options(root):
        features = str(root / "features" / "tiny")
        return {
            "data_root": str(root),
            "model.channels": tiny_tapos.CHANNELS,
            "max_epochs": 2,
            "train_cfg.max_epochs": 2,
            "train_dataloader.dataset.features": features,
            "test_dataloader.dataset.features": features,
            "train_dataloader.batch_size": 2,
        }

    def test_a_run_from_training_to_the_metric(self, root, tmp_path):
        from tpsparse import apis
        from tpsparse.engine import load_config

        config = QUICK / "transparser_2xsps_1xb8_synthetic.py"
        cfg = load_config(config, options=self.options(root), work_dir=tmp_path / "work")
        assert cfg.model.num_actions == 3
        apis.train(copy.deepcopy(cfg))
        metrics, runner = apis.test(cfg)
        assert 0 <= metrics["boundary/f1_rel"] <= 1 and not len(runner.test_dataloader.dataset.problems)

    @pytest.mark.parametrize("child", CHILDREN)
    def test_children_differ_from_the_parent_in_their_units_alone(self, root, child):
        from tpsparse.engine import load_config

        parent, own = (load_config(QUICK / name, options=self.options(root)) for name in (QUICK_PARENT, child))
        assert own.model.num_units == 1 and parent.model.num_units == 2
        expected = dict(parent.model, num_units=1, local_weight=0.0 if "no-local" in child else 1.0)
        assert dict(own.model) == expected and own.optim_wrapper == parent.optim_wrapper
        assert own.title != parent.title


QUICK_PARENT = "transparser_2xsps_1xb8_synthetic.py"
