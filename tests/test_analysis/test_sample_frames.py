from __future__ import annotations

import base64
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from tpsparse.analysis.sample_frames import sample_frames
from tpsparse.datasets.index import open_index
from tpsparse.datasets.problems import ProblemLog
from tpsparse.taxonomy import Taxonomy


def decode(url: str) -> np.ndarray:
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


@pytest.fixture(scope="module")
def samples(tiny_root, tiny_taxonomy):
    problems = ProblemLog()
    found = sample_frames(open_index(tiny_root, "train", tiny_taxonomy), 0, problems)
    assert len(problems) == 0
    return found


def test_one_of_each_action(samples):
    assert [sample.action for sample in samples] == ["lunge", "pull ups", "push up"]
    for sample in samples:
        name, _, number = sample.caption.rpartition(", frame ")
        assert name.rpartition("_train_")[0] == sample.action.replace(" ", "_") and 1 <= int(number) <= 12


def test_pictures_show_the_frame(samples, drawn):
    """The drawn persons wear the colour of their action."""
    for sample in samples:
        picture = decode(sample.url)
        assert (picture.shape[1], picture.shape[0]) == sample.size and picture.shape[1] <= 720
        shirt = np.array(drawn.SHIRTS[sample.action.replace(" ", "_")])
        assert (np.abs(picture.astype(int) - shirt).max(axis=2) < 30).sum() > 500


def test_seed_decides(tiny_root, tiny_taxonomy, samples):
    index = open_index(tiny_root, "train", tiny_taxonomy)
    assert sample_frames(index, 0, ProblemLog()) == samples
    others = [sample_frames(index, seed, ProblemLog()) for seed in (1, 2, 3)]
    assert any([sample.caption for sample in other] != [sample.caption for sample in samples] for other in others)


def test_another_frame_takes_the_place_of_one_that_cannot_be_read(tiny_copy, samples):
    """The video breaks after it was indexed."""
    taxonomy = Taxonomy.from_root(tiny_copy)
    index = open_index(tiny_copy, "train", taxonomy)
    broken = {sample.caption.partition(",")[0] for sample in samples}
    for entry in index.videos:
        if entry.name in broken:
            entry.path.write_bytes(b"")
    problems = ProblemLog()
    others = sample_frames(index, 0, problems)
    assert {problem.path.stem for problem in problems} == broken
    assert not broken & {sample.caption.partition(",")[0] for sample in others}


def test_action_without_a_readable_video_is_left_out(tiny_copy):
    index = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
    shutil.rmtree(tiny_copy / "train_videos" / "lunge")
    problems = ProblemLog()
    assert [sample.action for sample in sample_frames(index, 0, problems)] == ["pull ups", "push up"]
    assert len(problems) > 0


def test_action_without_annotations_is_left_out(tiny_copy):
    shutil.rmtree(tiny_copy / "train_annotations" / "pull_ups")
    index = open_index(tiny_copy, "train", Taxonomy.from_root(tiny_copy))
    problems = ProblemLog()
    assert [sample.action for sample in sample_frames(index, 0, problems)] == ["lunge", "push up"]
    assert len(problems) == 0
