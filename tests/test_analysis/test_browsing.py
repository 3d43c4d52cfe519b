"""What is drawn is what training eats."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from tpsparse.analysis.browsing import Browser
from tpsparse.engine import load_config
from tpsparse.errors import InputError

TASKS = ("person_detection", "part_parsing")


@pytest.fixture
def config(drawn, tiny_root):
    """The quick config of a task on the drawn data set."""

    def load(task, root=tiny_root, **options):
        return load_config(drawn.quick_config(task), options={"data_root": str(root), **options})

    return load


@pytest.fixture
def clip_config(drawn, tiny_root):
    path = drawn.quick_config("action_recognition")
    return lambda **options: load_config(path, options={"data_root": str(tiny_root), **options})


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("task", TASKS)
def test_samples_are_those_of_training(config, scope, task, seed):
    """The runner's own data loader gives the same tensors in the same order."""
    from mmengine.runner import Runner

    cfg = config(task)
    cfg.train_dataloader.batch_size = 3
    batches = iter(Runner.build_dataloader(cfg.train_dataloader, seed=seed))
    trained = [image for batch in islice(batches, 2) for image in batch["inputs"]]
    browsed = [sample["inputs"] for sample in Browser(cfg, seed=seed).samples(6)]
    assert len(browsed) == 6 and all(torch.equal(first, second) for first, second in zip(browsed, trained))


def test_clips_are_those_of_training(clip_config, scope):
    from mmengine.runner import Runner

    cfg = clip_config(**{"train_dataloader.batch_size": 2})
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader, seed=0)))
    for sample, image, label in zip(Browser(cfg).samples(2), batch["inputs"], batch["data_samples"]):
        assert torch.equal(sample["inputs"], image) and sample["data_samples"].gt_label == label.gt_label


def test_seed_is_the_configs_unless_given(config):
    cfg = config("part_parsing")
    cfg.randomness.seed = 5
    [own], [same], [other] = (list(Browser(cfg, seed=seed).samples(1)) for seed in (None, 5, 0))
    assert torch.equal(own["inputs"], same["inputs"]) and not torch.equal(own["inputs"], other["inputs"])


def test_captions_know_what_the_packing_would_drop(clip_config):
    [sample] = Browser(clip_config()).samples(1)
    labels = sample["data_samples"]
    assert labels.video.count("_train_") == 1 and labels.flip in (True, False) and len(labels.frame_inds) == 8


def test_config_is_left_as_it_is(clip_config):
    cfg = clip_config()
    before = cfg.pretty_text
    list(Browser(cfg).samples(1))
    assert cfg.pretty_text == before


def test_masks_are_the_codecs(config):
    """A box of two cells of 4 x 4 pixels, and an absent part."""
    browser = Browser(config("part_parsing"))
    boxes = torch.full((1, 3, 4), torch.nan)
    boxes[0, 1] = torch.tensor([8.0, 4.0, 16.0, 8.0])
    masks = browser.encode(boxes)
    assert masks.shape == (1, 3, 32, 24) and masks.sum() == 2 and (masks[0, 1, 1, 2:4] == 1).all()


@pytest.mark.parametrize("task", TASKS)
def test_pictures(config, task, tmp_path):
    paths = Browser(config(task)).write(tmp_path / "ä (b)", 4)
    assert [path.name for path in paths] == ["001.jpg", "002.jpg", "003.jpg", "004.jpg"]
    assert sorted(path.name for path in (tmp_path / "ä (b)").iterdir()) == [*(path.name for path in paths), "index.jpg"]
    sizes = [Image.open(path).size for path in paths]
    assert Image.open(tmp_path / "ä (b)" / "index.jpg").size[0] > max(width for width, _ in sizes)


def test_same_seed_same_files(config, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        Browser(config("part_parsing"), seed=seed).write(tmp_path / name, 3)
    files = [[path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "abc"]
    assert files[0] == files[1] != files[2]


def test_crop_is_seen_in_its_own_colours(config, tmp_path, drawn):
    """The test pipeline changes no colours: a picture shows the shirt and the left arm as drawn."""
    [path] = Browser(config("part_parsing"), split="test").write(tmp_path, 1)
    picture = np.array(Image.open(path)).astype(int)[:, :288]  # the first pane
    for colour in (drawn.SHIRTS["lunge"], drawn.PART_COLOURS["left_arm"]):
        assert (np.abs(picture - colour).max(axis=2) < 40).sum() > 500


def test_fewer_samples_than_asked_for(config, tmp_path):
    options = {"test_dataloader.dataset.frame_step": 12}
    assert len(Browser(config("person_detection", **options), split="test").write(tmp_path, 9)) == 3


def test_contact_sheet_holds_the_first(config, tmp_path, monkeypatch):
    from tpsparse.analysis import browsing

    monkeypatch.setattr(browsing, "MAX_INDEX", 2)
    Browser(config("person_detection")).write(tmp_path / "four", 4)
    Browser(config("person_detection")).write(tmp_path / "two", 2)
    assert len(list((tmp_path / "four").iterdir())) == 5
    assert (tmp_path / "four" / "index.jpg").read_bytes() == (tmp_path / "two" / "index.jpg").read_bytes()


class TestRefused:
    def test_features(self, config):
        with pytest.raises(InputError, match="saved features, which are no pictures"):
            Browser(config("feature_fusion"))

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_system(self, drawn, tiny_root, split):
        with pytest.raises(InputError, match=f"has no {split}_dataloader with a pipeline"):
            Browser(load_config(drawn.QUICK_SYSTEM, options={"data_root": str(tiny_root)}), split=split)

    @pytest.mark.parametrize(
        "options",
        [{"train_dataloader.dataset.type": "NoSuchDataset"}, {"train_dataloader.dataset.frame_stap": 2}],
    )
    def test_config_that_cannot_be_built(self, config, options):
        with pytest.raises(InputError, match="cannot be built .*: correct it or --cfg-options"):
            Browser(config("part_parsing", **options))

    def test_split_without_videos(self, config):
        with pytest.raises(InputError, match="has no split 'val'"):
            Browser(config("part_parsing", train_split="val"))


def test_each_view_of_a_test_is_a_sample(drawn, tiny_root, scope):
    path = drawn.QUICK / "person_detection" / "dap_cascade-rcnn_r18_fpn_1xb8_synthetic_multi-scale-flip.py"
    samples = list(Browser(load_config(path, options={"data_root": str(tiny_root)}), split="test").samples(7))
    # Three sizes, each with its mirror image, of a frame of 64 x 96 in at most (144, 192), and the next frame.
    shapes = [tuple(sample["inputs"].shape[1:]) for sample in samples]
    assert shapes == [(128, 192), (128, 192), (64, 96), (64, 96), (192, 288), (192, 288), (128, 192)]
    assert torch.equal(samples[1]["inputs"], samples[0]["inputs"].flip(-1))
    assert [sample["data_samples"].flip for sample in samples] == [False, True, False, True, False, True, False]
    frames = [sample["data_samples"].frame_index for sample in samples]
    assert len(set(frames[:6])) == 1 and frames[6] != frames[0]
