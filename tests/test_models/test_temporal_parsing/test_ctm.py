"""CTM: the forward recursion against all alignments, one by one."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing import CTM
from tpsparse.models.temporal_parsing.ctm import labeling_log_likelihoods, random_labelings, step_weights
from tpsparse.structures.temporal import TemporalSample

FRAMES, LABELS = [6, 4, 1, 3], 5
COUNTS = [3, 4, 1, 1]


def by_enumeration(probabilities, labeling, stays=None, move=1.0) -> float:
    """The sum over all ways to cut the frames into as many stretches as there are labels."""
    frames, total = len(probabilities), 0.0
    for cuts in itertools.combinations(range(1, frames), len(labeling) - 1):
        weight = 1.0
        for t in range(frames):
            place = sum(cut <= t for cut in cuts)
            weight *= float(probabilities[t][labeling[place]])
            if stays is not None and t > 0:
                weight *= move if t in cuts else float(stays[t])
        total += weight
    return total


@pytest.fixture
def given():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(len(FRAMES), max(FRAMES), LABELS, generator=generator, dtype=torch.float64)
    labelings = torch.rand(len(FRAMES), 3, LABELS, generator=generator).argsort(dim=-1)[..., : max(COUNTS)]
    return scores.log_softmax(-1), labelings, dict(frames=torch.tensor(FRAMES), counts=torch.tensor(COUNTS))


def test_all_alignments(given):
    log_probabilities, labelings, sizes = given
    found = labeling_log_likelihoods(log_probabilities, labelings, **sizes)
    assert found.shape == (len(FRAMES), 3)
    for n, (frames, count) in enumerate(zip(FRAMES, COUNTS)):
        for s in range(3):
            expected = by_enumeration(log_probabilities[n, :frames].exp(), labelings[n, s, :count].tolist())
            assert float(found[n, s]) == pytest.approx(math.log(expected), rel=1e-9)


def test_all_alignments_weighted_by_similarity(given):
    log_probabilities, labelings, sizes = given
    generator = torch.Generator().manual_seed(1)
    features = [torch.randn(frames, 4, generator=generator, dtype=torch.float64) for frames in FRAMES]
    stays, move = step_weights(features, 0.3)
    for n, each in enumerate(features):
        for t in range(1, FRAMES[n]):
            cosine = float(each[t] @ each[t - 1] / each[t].norm() / each[t - 1].norm())
            assert float(stays[n, t].exp()) == pytest.approx(max(cosine, 0.3))
    found = labeling_log_likelihoods(log_probabilities, labelings, **sizes, steps=(stays, move))
    for n, (frames, count) in enumerate(zip(FRAMES, COUNTS)):
        labeling = labelings[n, 0, :count].tolist()
        expected = by_enumeration(log_probabilities[n, :frames].exp(), labeling, stays[n].exp(), 0.3)
        assert float(found[n, 0]) == pytest.approx(math.log(expected), rel=1e-9)


def test_an_instance_does_not_depend_on_its_batch(given):
    log_probabilities, labelings, _ = given
    whole = labeling_log_likelihoods(*given[:2], **given[2])
    alone = labeling_log_likelihoods(
        log_probabilities[1:2, :4], labelings[1:2], frames=torch.tensor([4]), counts=torch.tensor([4])
    )
    assert torch.allclose(whole[1:2], alone)


def test_gradients_are_those_of_differences(given):
    log_probabilities, labelings, sizes = given
    scores = log_probabilities.detach().clone().requires_grad_()

    def likelihood(values):
        return labeling_log_likelihoods(values.log_softmax(-1), labelings, **sizes)

    assert torch.autograd.gradcheck(likelihood, (scores,))


def test_random_labelings():
    torch.manual_seed(0)
    labelings = random_labelings(2, 50, 4, num_labels=5)
    assert labelings.shape == (2, 50, 4) and all(len(set(each)) == 4 for each in labelings.reshape(-1, 4).tolist())
    assert len({tuple(each) for each in labelings.reshape(-1, 4).tolist()}) > 50
    assert set(labelings[..., 0].flatten().tolist()) == set(range(5))
    longer = random_labelings(1, 20, 7, num_labels=3)  # more sub-actions than labels
    assert (longer[..., 1:] != longer[..., :-1]).all()


def test_padding_does_not_change_an_instance():
    torch.manual_seed(0)
    parser = CTM(channels=3, hidden_channels=4, num_labels=6)
    long, short = torch.randn(9, 3), torch.randn(4, 3)
    together, alone = parser.log_probabilities([short, long]), parser.log_probabilities([short])
    assert torch.allclose(together[0, :4], alone[0], atol=1e-6)
    assert torch.allclose(alone.exp().sum(-1), torch.ones(1, 4))


@pytest.mark.parametrize("similarity", [None, 0.2])
def test_the_loss_falls_and_takes_any_instance(similarity):
    torch.manual_seed(0)
    parser = CTM(channels=3, hidden_channels=8, num_labels=4, num_labelings=16, similarity=similarity)
    inputs = [torch.randn(12, 3), torch.randn(1, 3), torch.randn(5, 3)]
    samples = [TemporalSample.of(str(n), len(x), b) for n, (x, b) in enumerate(zip(inputs, ([3, 8], [], [1, 2, 3, 4])))]
    optimizer = torch.optim.Adam(parser.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = parser.loss(inputs, samples)["loss_labeling"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert all(parameter.grad.isfinite().all() for parameter in parser.parameters())
    assert sum(losses[-10:]) < sum(losses[:10])


def test_parse_is_the_best_path():
    parser = CTM(channels=3, hidden_channels=4, num_labels=6)
    features = torch.randn(20, 3, generator=torch.Generator().manual_seed(2))
    labels = parser.log_probabilities([features])[0].argmax(-1).tolist()
    expected = [t for t in range(1, 20) if labels[t] != labels[t - 1]]
    assert parser.parse(features).boundaries.tolist() == expected
    assert parser.parse(features[:1]).boundaries.tolist() == []


@pytest.mark.parametrize("given", [dict(num_labels=1), dict(similarity=0), dict(similarity=1.5)])
def test_what_a_config_can_get_wrong(given):
    with pytest.raises(InputError, match="CTM has"):
        CTM(channels=2, **given)
