"""SCU's whole row of stages on a drawn video, with random weights: from pixels to objects, relevance and an action."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny

from tpsparse import apis
from tpsparse.language import LanguageVectors
from tpsparse.language.models import ModelIdentity
from tpsparse.models.fusion import part_sequence
from tpsparse.parsing import FuseFeatures
from tpsparse.structures import VideoParse
from tpsparse.structures.export import parse_to_json

SYSTEM = tiny.QUICK / "systems" / "scu.py"
CHANNELS = 384


@pytest.fixture(scope="module")
def work_dir(tiny_root, tmp_path_factory):
    """Random weights of the system; the language model's vectors are made up, as no model is asked."""

    def made_up(file, model, taxonomy, words=None):
        draw = np.random.default_rng(0)
        names = dict(parts=taxonomy.parts, states=taxonomy.states, objects=taxonomy.objects)
        return LanguageVectors(
            **names,
            model=ModelIdentity(model, "0"),
            part_states=draw.normal(size=(len(taxonomy.parts), len(taxonomy.states), 2, CHANNELS)),
            objects_=draw.normal(size=(len(taxonomy.objects) + 1, CHANNELS)),
        )

    folder = tmp_path_factory.mktemp("scu") / "work"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_sequence, "vectors_of", made_up)
        tiny.save_random_weights(SYSTEM, folder, tiny_root)
    return folder


@pytest.fixture(scope="module")
def parsed(work_dir, tiny_root, tmp_path_factory):
    """A record of the system's own test, and what it was read back as."""
    options = {"data_root": str(tiny_root), "model.stages.0.options": {"model.test_cfg.rcnn.score_thr": 0.0}}
    options["model.stages.1.options"] = {"model.test_cfg.rcnn.score_thr": 0.0, "model.test_cfg.rcnn.max_per_img": 1000}
    options["model.stages.1.min_object_score"] = 0.0
    parser, taxonomy = apis.build_parser(SYSTEM, work_dir=work_dir, options=options)
    video = next((tiny_root / "test_videos" / "push_up").glob("*.mp4"))
    parse = parser.parse(video)
    assert parse.error is None
    file = tmp_path_factory.mktemp("record") / "record.safetensors"
    parse.save(file)
    return parse, VideoParse.load(file), taxonomy


def test_every_field_is_there(parsed):
    parse, _, taxonomy = parsed
    parts, states = len(taxonomy.parts), len(taxonomy.states)
    assert parse.action_scores["action"].sum() == pytest.approx(1, abs=1e-5)
    assert set(parse.action_scores) == {"scu", "action"}
    assert sum(map(len, parse.frames)) > 0 and sum(len(frame.objects) for frame in parse.frames) > 0
    for frame in parse.frames:
        widths = {name: array.shape[1] for name, array in frame.person_features.items()}
        expected = dict(part_visual=64 * parts, part_relevance=parts)
        assert widths == dict(expected, person_objects=len(taxonomy.objects) + 1)
        assert frame.state_scores.shape == (len(frame), parts, states)
        assert (frame.objects.labels < len(taxonomy.objects)).all()


def test_what_belongs_to_a_part_without_a_box_is_zero(parsed):
    parse, _, _ = parsed
    absent = np.concatenate([np.isnan(frame.part_boxes).any(axis=2) for frame in parse.frames])
    relevance = np.concatenate([frame.person_features["part_relevance"] for frame in parse.frames])
    scores = np.concatenate([frame.state_scores for frame in parse.frames])
    assert (relevance[absent] == 0).all() and (scores[absent] == 0).all()
    assert (relevance[~absent] > 0).all()


def test_the_action_is_told_by_the_state_scores(work_dir, parsed):
    """They are in the record once, and the fusion reads them there."""
    parse, _, taxonomy = parsed
    config = tiny.QUICK / "feature_fusion" / "scu_lstm_1xb16_synthetic.py"
    frames = dict(type="EvenFrames", num=8)
    stage = FuseFeatures(config=str(config), checkpoint=str(work_dir / config.stem), frames=frames, taxonomy=taxonomy)
    assert set(stage.needs) == {"state_scores", *(f"feature:part_{name}" for name in ("visual", "relevance"))} | {
        "feature:person_objects"
    }
    stage.parse_video(None, parse)
    before = parse.action_scores.pop("fusion")
    other = replace(parse, frames=[replace(frame, state_scores=frame.state_scores / 2) for frame in parse.frames])
    stage.parse_video(None, other)
    assert np.abs(other.action_scores.pop("fusion") - before).max() > 1e-7


def test_record_is_read_back_as_it_was(parsed):
    parse, again, _ = parsed
    for before, after in zip(parse.frames, again.frames, strict=True):
        np.testing.assert_array_equal(before.objects.boxes, after.objects.boxes)
        np.testing.assert_array_equal(before.objects.labels, after.objects.labels)
        np.testing.assert_array_equal(before.person_features["part_relevance"], after.person_features["part_relevance"])


def test_objects_are_named_in_the_readable_form(parsed):
    parse, _, taxonomy = parsed
    frames = json.loads(json.dumps(parse_to_json(parse, taxonomy)))["frames"]
    named = [thing["name"] for frame in frames for thing in frame["objects"]]
    assert len(named) == sum(len(frame.objects) for frame in parse.frames) and set(named) <= set(taxonomy.objects)
