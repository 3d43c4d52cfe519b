"""Part representations by hand, orders, masks and ablations of the action network of SCU."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from tpsparse.errors import InputError
from tpsparse.language import LanguageVectors, ModelIdentity
from tpsparse.models.fusion import PartSequenceClassifier
from tpsparse.models.fusion.classifier import masked_max, masked_mean
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "hip"), states=("none", "eat"), actions=("run", "sit", "lie"), objects=("rope",))
PARTS, STATES, OBJECTS, VISUAL, WORD, ACTIONS = 2, 2, 1, 3, 4, 3
LANGUAGE = dict(file="no file", model="no model", channels=WORD)


def make_model(**changes) -> PartSequenceClassifier:
    """A network whose language vectors are random numbers, as they are after loading."""
    torch.manual_seed(0)
    config = dict(
        type="PartSequenceClassifier",
        num_actions=ACTIONS,
        num_parts=PARTS,
        num_states=STATES,
        num_objects=OBJECTS,
        visual_channels=VISUAL,
        language=LANGUAGE,
        taxonomy=NAMES.to_meta(),
        part_channels=5,
        hidden_channels=6,
    )
    model = MODELS.build({**config, **changes}).eval()
    for vectors in model.buffers():
        vectors.normal_()
    return model


def make_video(frames: int, persons: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    place = dict(size=(frames, persons), generator=generator)
    objects = torch.rand(**place)
    return dict(
        part_visual=torch.randn(frames, persons, PARTS * VISUAL, generator=generator),
        part_states=torch.rand(frames, persons, PARTS * STATES, generator=generator) + 0.01,
        part_relevance=torch.rand(frames, persons, PARTS, generator=generator) + 0.01,
        person_objects=torch.stack([objects, 1 - objects], dim=-1),
        person_mask=torch.rand(**place) < 0.7,
    )


def without_part(video: dict[str, torch.Tensor], part: int) -> dict[str, torch.Tensor]:
    """The video in whose every person a part lacks a box."""
    gone = {name: video[name].clone() for name in ("part_visual", "part_states", "part_relevance")}
    for array in gone.values():
        array.unflatten(-1, (PARTS, -1))[..., part, :] = 0
    return {**video, **gone}


def with_parts_swapped(video: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    swapped = {
        name: video[name].unflatten(-1, (PARTS, -1)).flip(-2).flatten(-2)
        for name in ("part_visual", "part_states", "part_relevance")
    }
    return {**video, **swapped}


def batch_of(model: PartSequenceClassifier, *videos: dict) -> dict[str, torch.Tensor]:
    return model.data_preprocessor(dict(inputs=list(videos)))["inputs"]


def run(model: PartSequenceClassifier, *videos: dict) -> torch.Tensor:
    return model(batch_of(model, *videos))


def samples(*actions: int) -> list[BaseDataElement]:
    return [BaseDataElement(metainfo=dict(action=action)) for action in actions]


def test_pools_by_hand():
    features = torch.tensor([[[-1.0, 5.0], [-3.0, 2.0], [9.0, 9.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_max(features, mask).tolist() == [[-1.0, 5.0], [0.0, 0.0]]
    assert masked_mean(features, mask).tolist() == [[-2.0, 3.5], [0.0, 0.0]]


class TestLanguageFeatures:
    def test_equation_9_by_hand(self):
        """Two parts with two states, words of one channel: 1, 2 for the head's none, 3, 4 for its eat, and so on."""
        model = make_model(language=dict(LANGUAGE, channels=1))
        model.part_state_vectors.copy_(torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]))
        model.object_vectors.copy_(torch.tensor([[100.0], [20.0]]))
        states = torch.tensor([[0.5, 1.0], [0.0, 0.25]])
        objects = torch.tensor([0.75, 0.25])  # a rope at 0.75: 75 + 5 = 80
        head = [(0.5 * 1 + 1 * 3) / 2, (0.5 * 2 + 1 * 4) / 2, (0.5 * 80 + 1 * 80) / 2]
        hip = [(0.25 * 7) / 2, (0.25 * 8) / 2, (0.25 * 80) / 2]
        assert model.language_features(states, objects).tolist() == [head, hip]

    def test_equal_a_plain_loop(self):
        model = make_model()
        states, objects = torch.rand(4, PARTS, STATES), torch.rand(4, OBJECTS + 1)
        for person, found in enumerate(model.language_features(states, objects)):
            thing = sum(score * vector for score, vector in zip(objects[person], model.object_vectors))
            for part in range(PARTS):
                triples = [torch.cat([model.part_state_vectors[part, state], thing]) for state in range(STATES)]
                weighted = [states[person, part, state] * triple for state, triple in enumerate(triples)]
                torch.testing.assert_close(found[part], torch.stack(weighted).mean(dim=0))


class TestRepresentation:
    @pytest.mark.parametrize("normalize", [False, True])
    def test_halves_and_relevance(self, normalize):
        model, video = make_model(normalize=normalize), make_video(1, 1)
        [[[parts]]], [[[present]]] = model.part_features(batch_of(model, video))
        assert parts.shape == (PARTS, VISUAL + 5) and present.all()
        states = video["part_states"].view(PARTS, STATES)
        language = model.language_features(states, video["person_objects"].view(-1))
        for part, relevance in enumerate(video["part_relevance"].view(-1)):
            visual, words = video["part_visual"].view(PARTS, VISUAL)[part], language[part]
            if normalize:
                visual, words = relevance * model.norms["part_visual"](visual), model.norms["language"](words)
            expected = torch.cat([visual, relevance * model.resize(words)])
            torch.testing.assert_close(parts[part], expected)

    def test_who_is_absent(self):
        """A part is there if it has a relevance or a state."""
        video = make_video(1, 1)
        [[[present]]] = make_model().part_features(batch_of(make_model(), without_part(video, 1)))[1]
        assert present.tolist() == [True, False]
        irrelevant = dict(video, part_relevance=torch.zeros(1, 1, PARTS))
        assert make_model().part_features(batch_of(make_model(), irrelevant))[1].all()
        seen = make_model(language=None)
        assert seen.part_features(batch_of(seen, without_part(video, 0)))[1].tolist() == [[[[False, True]]]]


class TestSequence:
    def test_the_lstm_goes_by_the_order_and_the_mean_does_not(self):
        vectors = torch.randn(1, 1, 1, PARTS, VISUAL + 5)
        present = torch.ones(1, 1, 1, PARTS, dtype=torch.bool)
        lstm, mean = make_model().sequence, make_model(sequence="mean").sequence
        assert not torch.allclose(lstm(vectors, present), lstm(vectors.flip(-2), present))
        torch.testing.assert_close(mean(vectors, present), mean(vectors.flip(-2), present))

    def test_swapped_parts_of_a_video(self):
        video = make_video(3, 2)
        video["person_mask"][:] = True
        lstm, mean = (make_model(sequence=name, language=None) for name in ("lstm", "mean"))
        assert not torch.allclose(run(lstm, video), run(lstm, with_parts_swapped(video)))
        torch.testing.assert_close(run(mean, video), run(mean, with_parts_swapped(video)))

    def test_last_output_of_the_lstm(self):
        """Gate by gate, as in the definition of an LSTM."""
        sequence = make_model().sequence
        sequence.absent.data.normal_()
        parts, present = torch.randn(PARTS, VISUAL + 5), torch.tensor([True, False])
        hidden, cell = torch.zeros(6), torch.zeros(6)
        weights = [getattr(sequence.lstm, f"{name}_l0") for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]
        for vector in (parts[0], sequence.absent):
            gates = weights[0] @ vector + weights[1] + weights[2] @ hidden + weights[3]
            enter, forget, new, leave = gates.chunk(4)
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = leave.sigmoid() * cell.tanh()
        torch.testing.assert_close(sequence(parts[None], present[None])[0], hidden)

    def test_mean_of_the_parts_that_are_there(self):
        sequence = make_model(sequence="mean").sequence
        parts = torch.randn(3, PARTS, VISUAL + 5)
        present = torch.tensor([[True, True], [False, True], [False, False]])
        means = torch.stack([parts[0].mean(dim=0), parts[1, 1], torch.zeros(VISUAL + 5)])
        torch.testing.assert_close(sequence(parts, present), sequence.linear(means).tanh())


@pytest.mark.parametrize("sequence", ["lstm", "mean"])
@pytest.mark.parametrize("pool", ["max", "mean"])
@pytest.mark.parametrize("normalize", [False, True])
class TestPooling:
    def test_logits_equal_a_plain_loop(self, sequence, pool, normalize):
        model = make_model(sequence=sequence, pool=pool, normalize=normalize)
        video = make_video(4, 3)
        outputs = []
        for frame in range(4):
            for person in range(3):
                if video["person_mask"][frame, person]:
                    alone = {name: array[frame, person][None, None] for name, array in video.items()}
                    outputs.append(model.sequence(*model.part_features(batch_of(model, alone)))[0, 0, 0])
        stacked = torch.stack(outputs)
        pooled = stacked.amax(dim=0) if pool == "max" else stacked.mean(dim=0)
        torch.testing.assert_close(run(model, video)[0], model.classifier(pooled))

    def test_padding_and_absent_persons_do_not_matter(self, sequence, pool, normalize):
        model = make_model(sequence=sequence, pool=pool, normalize=normalize)
        short, long = make_video(2, 1, seed=3), make_video(5, 4, seed=1)
        alone = torch.cat([run(model, short), run(model, long)])
        torch.testing.assert_close(run(model, short, long), alone)
        gone = ~long["person_mask"][..., None]
        changed = {name: array.masked_fill(gone, 1e3) for name, array in long.items() if name != "person_mask"}
        torch.testing.assert_close(run(model, {**long, **changed}), alone[1:])

    @pytest.mark.parametrize(("frames", "persons"), [(3, 0), (0, 0), (2, 2)])
    def test_every_parameter_has_a_gradient(self, sequence, pool, normalize, frames, persons):
        """Also without persons, and without an absent part: else processes that train together would wait."""
        model = make_model(sequence=sequence, pool=pool, normalize=normalize).train()
        batch = model.data_preprocessor(dict(inputs=[make_video(frames, persons)], data_samples=samples(2)))
        loss = model(**batch, mode="loss")["loss_action"]
        loss.backward()
        assert loss.isfinite()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


def test_nobody_gives_the_bias():
    model = make_model(normalize=True)
    torch.testing.assert_close(run(model, make_video(2, 0))[0], model.classifier.bias)


def test_persons_without_parts():
    model = make_model(normalize=True)
    video = without_part(without_part(make_video(2, 2), 0), 1)
    video["person_mask"][:] = True
    assert run(model, video).isfinite().all()
    changed = dict(video, person_objects=video["person_objects"].flip(-1))
    torch.testing.assert_close(run(model, changed), run(model, video))


class TestAblations:
    @pytest.mark.parametrize(
        ("changes", "names", "width"),
        [
            ({}, ("part_visual", "part_states", "part_relevance", "person_objects"), VISUAL + 5),
            ({"language": None}, ("part_visual", "part_relevance"), VISUAL),
            ({"visual_channels": None}, ("part_states", "part_relevance", "person_objects"), 5),
        ],
    )
    def test_only_what_is_used(self, changes, names, width):
        model, video = make_model(**changes), make_video(2, 2)
        assert model.feature_names == names and model.sequence.lstm.input_size == width
        given = {name: video[name] for name in (*names, "person_mask")}
        torch.testing.assert_close(run(model, given), run(model, video))
        for name in names:
            with pytest.raises(ValueError, match=f"no feature {name}; it has"):
                run(model, {other: array for other, array in given.items() if other != name})

    def test_channels(self):
        assert make_model().feature_channels == dict(part_visual=6, part_states=4, part_relevance=2, person_objects=2)

    def test_no_objects_in_the_list(self):
        names = Taxonomy(NAMES.parts, NAMES.states, NAMES.actions)
        model, video = make_model(num_objects=0, taxonomy=names.to_meta()), make_video(2, 2)
        assert run(model, dict(video, person_objects=torch.ones(2, 2, 1))).shape == (1, ACTIONS)


def test_refusals():
    with pytest.raises(ValueError, match="visual_channels and language are both None"):
        make_model(visual_channels=None, language=None)
    with pytest.raises(ValueError, match="give taxonomy"):
        make_model(taxonomy=None)
    with pytest.raises(ValueError, match=r"taxonomy has \(2, 2, 1\) .* expected \(2, 2, 4\)"):
        make_model(num_objects=4)
    with pytest.raises(ValueError, match="sequence is 'gru', expected lstm or mean"):
        make_model(sequence="gru")
    with pytest.raises(ValueError, match="pool is 'sum', expected max or mean"):
        make_model(pool="sum")
    with pytest.raises(TypeError, match="colour"):
        make_model(language=dict(LANGUAGE, colour="red"))
    model, video = make_model(), make_video(2, 2)
    with pytest.raises(ValueError, match=r"part_visual has shape \(1, 2, 2, 5\), expected \(N, T, P, 6\)"):
        run(model, dict(video, part_visual=video["part_visual"][..., :5]))


@pytest.fixture
def stored(tmp_path: Path) -> LanguageVectors:
    random = np.random.default_rng(0)
    vectors = LanguageVectors(
        parts=NAMES.parts,
        states=NAMES.states,
        objects=NAMES.objects,
        model=ModelIdentity("no model"),
        part_states=random.normal(size=(PARTS, STATES, 2, WORD)),
        objects_=random.normal(size=(OBJECTS + 1, WORD)),
    )
    vectors.save(tmp_path / "vectors.safetensors")
    return vectors


@pytest.fixture
def no_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of transformers, or of its parts, fails."""
    plain = builtins.__import__

    def refuse(name: str, *args, **kwargs):
        if name.partition(".")[0] == "transformers":
            raise ImportError("No module named 'transformers'")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.usefixtures("no_transformers")
class TestVectors:
    def test_read_when_weights_are_drawn(self, stored: LanguageVectors, tmp_path: Path):
        model = make_model(language=dict(LANGUAGE, file=str(tmp_path / "vectors.safetensors")))
        model.init_weights()
        np.testing.assert_array_equal(model.part_state_vectors[1, 0, :WORD], stored.part_states[1, 0, 0])
        np.testing.assert_array_equal(model.part_state_vectors[1, 0, WORD:], stored.part_states[1, 0, 1])
        np.testing.assert_array_equal(model.object_vectors, stored.objects_)

    def test_centred(self, stored: LanguageVectors, tmp_path: Path):
        """Parts, verbs and objects each have the mean 0; differences stay."""
        model = make_model(language=dict(LANGUAGE, file=str(tmp_path / "vectors.safetensors")), centre=True)
        model.init_weights()
        vectors = model.part_state_vectors.unflatten(-1, (2, WORD)).numpy()
        np.testing.assert_allclose(vectors.mean(axis=(0, 1)), np.zeros((2, WORD)), atol=1e-6)
        np.testing.assert_allclose(vectors[1] - vectors[0], stored.part_states[1] - stored.part_states[0], atol=1e-6)
        np.testing.assert_allclose(model.object_vectors, (stored.objects_ - stored.objects_.mean(axis=0)), atol=1e-6)

    def test_stored_vectors_of_something_else(self, stored: LanguageVectors, tmp_path: Path):
        path = str(tmp_path / "vectors.safetensors")
        with pytest.raises(InputError, match="has vectors of 4 channels, the network takes 6: set channels=4"):
            make_model(language=dict(LANGUAGE, file=path, channels=6)).init_weights()
        other = Taxonomy(NAMES.parts, ("none", "drink"), NAMES.actions, NAMES.objects)
        with pytest.raises(InputError, match="vectors of other states"):
            make_model(language=dict(LANGUAGE, file=path), taxonomy=other.to_meta()).init_weights()
        with pytest.raises(InputError, match="vectors of other words"):
            make_model(language=dict(LANGUAGE, file=path, words=dict(eat="dine"))).init_weights()

    def test_none_stored_and_no_library(self):
        with pytest.raises(InputError, match="transformers.*run make language"):
            make_model().init_weights()

    def test_without_language_nothing_is_read(self):
        make_model(language=None).init_weights()

    def test_they_come_with_the_weights(self, tmp_path: Path):
        first, second = make_model(normalize=True), make_model(normalize=True)
        for value in (*second.buffers(), *second.parameters()):
            value.data.zero_()
        torch.save(first.state_dict(), tmp_path / "weights.pth")
        second.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True))
        video = make_video(3, 2)
        assert torch.equal(run(first, video), run(second, video))


def test_loss_and_predictions():
    model = make_model()
    videos = [make_video(2, 2, seed=seed) for seed in range(3)]
    batch = model.data_preprocessor(dict(inputs=videos, data_samples=samples(1, -1, 2)))
    log_p = model(batch["inputs"]).log_softmax(dim=1)
    torch.testing.assert_close(model(**batch, mode="loss")["loss_action"], -(log_p[0, 1] + log_p[2, 2]) / 2)
    scores = torch.stack([sample.action_scores for sample in model(**batch, mode="predict")])
    torch.testing.assert_close(scores, log_p.exp())
