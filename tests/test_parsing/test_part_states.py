"""The stage of part states with the quick network and random weights. K = 3, S = 3, P persons."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ParsePartStates, check_row
from tpsparse.registry import MODELS, STAGES
from tpsparse.runtime import Runtime
from tpsparse.structures import FrameObjects, FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

NAME = "part_parsing/scu_part-states_vgg11_1xb8_synthetic-256"
CHANNELS = 64
FEATURES = {"part_visual": 3 * CHANNELS, "part_relevance": 3, "person_objects": 3}


@pytest.fixture(scope="module")
def names(tiny_taxonomy):
    """Of the drawn data set, with two objects."""
    return Taxonomy.from_meta(tiny_taxonomy.to_meta() | dict(objects=["bar", "rope"]))


@pytest.fixture(scope="module")
def network(drawn, names, tmp_path_factory):
    """Config and checkpoint of a quick network with random weights."""
    folder = tmp_path_factory.mktemp("networks (1)")

    def make(name, taxonomy=names):
        config = drawn.QUICK / f"{name}.py"
        path = folder / f"{config.stem}-{len(taxonomy.objects)}.pth"
        if not path.is_file():
            init_default_scope("tpsparse")
            torch.manual_seed(0)
            model = MODELS.build(load_config(config, taxonomy=taxonomy).model)
            model.init_weights()
            meta = {"dataset_meta": {"taxonomy": taxonomy.to_meta()}}
            torch.save({"meta": meta, "state_dict": model.state_dict()}, path)
        return dict(config=str(config), checkpoint=str(path))

    return make


@pytest.fixture(scope="module")
def stage(network, names):
    return ParsePartStates(**network(NAME), taxonomy=names)


@pytest.fixture(scope="module")
def images(tiny_root):
    return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4").frames([1, 6, 8])


@pytest.fixture
def frames(drawn):
    """The persons of the frames 1, 6 and 8; nobody in the second; in the third an arm and all of the other's parts
    are missing.

    The first person of frame 1 deals with a rope; the object of frame 8 is far from both.
    """
    parses = []
    for number in (1, 6, 8):
        boxes = [drawn.person_box("push_up", number, person) for person in range(2) if number != 6]
        boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        places = np.array([drawn.PART_PLACES[part] for part in drawn.PARTS], dtype=np.float32)
        parts = np.tile(boxes[:, :2], 2)[:, None] + places
        objects = FrameObjects.none()
        if number == 1:
            objects = FrameObjects(boxes[:1] + 2, np.array([0.75]), np.array([1]))
        if number == 8:
            parts[0, 2], parts[1] = np.nan, np.nan
            objects = FrameObjects(np.array([[90.0, 60, 95, 63]]), np.array([0.9]), np.array([0]))
        parses.append(FrameParse(number, boxes, part_boxes=parts, objects=objects))
    return parses


def test_what_it_gives(stage, images, frames, names):
    stage.parse_frames(images, frames)
    for frame, persons in zip(frames, (2, 0, 2)):
        frame.check()
        assert frame.state_scores.shape == (persons, 3, 3) and frame.state_scores.dtype == np.float32
        for name, width in FEATURES.items():
            assert frame.person_features[name].shape == (persons, width), name
            assert frame.person_features[name].dtype == np.float32
        assert set(frame.person_features) == set(FEATURES)
    first, _, last = frames
    assert ((first.state_scores > 0) & (first.state_scores < 1)).all() and (
        first.person_features["part_visual"] >= 0
    ).all()
    assert ((first.person_features["part_relevance"] > 0) & (first.person_features["part_relevance"] < 1)).all()
    assert first.person_features["person_objects"].tolist() == [[0, 0.75, 0.25], [0, 0, 1]]
    # Parts without a box, of one person and of the other.
    assert not last.state_scores[0, 2].any() and not last.state_scores[1].any() and last.state_scores[0, :2].all()
    assert last.person_features["part_relevance"][:, 2].tolist() == [0, 0]
    assert not last.person_features["part_visual"].reshape(2, 3, CHANNELS)[[0, 1, 1], [2, 0, 1]].any()
    assert last.person_features["person_objects"].tolist() == [[0, 0, 1]] * 2


def test_batches_do_not_matter(stage, network, names, images, frames):
    stage.parse_frames(images, frames)
    single = ParsePartStates(**network(NAME), taxonomy=names)
    single.use(Runtime(batch_frames=1))
    again = [FrameParse(f.frame_index, f.boxes, part_boxes=f.part_boxes, objects=f.objects) for f in frames]
    single.parse_frames(images, again)
    for one, other in zip(frames, again):
        for name in FEATURES:
            np.testing.assert_allclose(one.person_features[name], other.person_features[name], atol=1e-5)


def test_boxes_are_scaled_with_the_picture(stage, images, frames):
    stage.parse_frames(images, frames)
    large = np.repeat(np.repeat(images[:1], 2, axis=1), 2, axis=2)
    frame = FrameParse(
        1,
        frames[0].boxes * 2,
        part_boxes=frames[0].part_boxes * 2,
        objects=FrameObjects(frames[0].objects.boxes * 2, frames[0].objects.scores, frames[0].objects.labels),
    )
    stage.parse_frames(large, [frame])
    np.testing.assert_allclose(frame.state_scores, frames[0].state_scores, atol=0.02)


def test_the_record_keeps_it(stage, images, frames, tmp_path):
    stage.parse_frames(images, frames)
    VideoParse("v", size=(64, 96), num_frames=12, fps=10, frames=frames).save(tmp_path / "v.safetensors")
    loaded = VideoParse.load(tmp_path / "v.safetensors")
    assert loaded.frames[1].person_features["part_visual"].shape == (0, FEATURES["part_visual"])
    np.testing.assert_array_equal(loaded.frames[0].state_scores, frames[0].state_scores)
    assert loaded.frames[0].states().tolist() == frames[0].state_scores.argmax(axis=2).tolist()


def test_without_relevance(network, names, images, frames):
    stage = ParsePartStates(**network(f"{NAME}_no-relevance"), taxonomy=names)
    stage.parse_frames(images, frames)
    assert frames[0].person_features["part_relevance"].tolist() == [[1, 1, 1]] * 2
    assert frames[2].person_features["part_relevance"].tolist() == [[1, 1, 0], [0, 0, 0]]


def test_an_empty_object_list(network, tiny_taxonomy, images, frames):
    names = Taxonomy.from_meta(tiny_taxonomy.to_meta() | dict(objects=[]))
    stage = ParsePartStates(**network(NAME, names), taxonomy=names)
    for frame in frames:
        frame.objects = FrameObjects.none()
    stage.parse_frames(images, frames)
    assert frames[0].person_features["person_objects"].tolist() == [[1], [1]]
    assert frames[1].person_features["person_objects"].shape == (0, 1)


def test_its_place_in_the_row(network, names):
    stage = STAGES.build(dict(type="ParsePartStates", **network(NAME), taxonomy=names))
    assert set(stage.gives) == {"state_scores", *(f"feature:{name}" for name in FEATURES)}
    with pytest.raises(InputError, match="stage ParsePartStates needs boxes, but the stages before it give nothing"):
        check_row([stage])


def test_weights_of_the_other_network(network, names):
    given = dict(network(NAME), checkpoint=network(f"{NAME}_no-relevance")["checkpoint"])
    with pytest.raises(InputError, match="is of another network than"):
        ParsePartStates(**given, taxonomy=names)
