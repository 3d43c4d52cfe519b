from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import Compose

from tpsparse.datasets.flow import FlowSettings, compute_flow, extract_flow
from tpsparse.datasets.tasks import TPSClipDataset, clip_sample
from tpsparse.datasets.transforms import DecodeFlow, FormatFlow
from tpsparse.errors import InputError

SETTINGS = dict(short_side=32, bound=4, effort="quick")


@pytest.fixture(scope="module")
def written(tiny_root, tmp_path_factory):
    """The drawn data set with its flow. Not to be changed."""
    root = Path(shutil.copytree(tiny_root, tmp_path_factory.mktemp("flow") / "data"))
    extract_flow(root, **SETTINGS, workers=1, progress=False)
    return root


def sample_of(root, numbers):
    path = root / "train_videos" / "push_up" / "push_up_train_0.mp4"
    return dict(clip_sample(path, path.stem, 12, 10.0, label=0), frame_inds=np.array(numbers, dtype=np.int32))


def test_images_are_x_and_y_in_turn(written):
    sample = sample_of(written, [4, 12, 4])
    expected = compute_flow(sample["filename"], [4, 11, 4], FlowSettings(**SETTINGS))
    results = DecodeFlow(**SETTINGS)(dict(sample, source=object()))
    assert len(results["imgs"]) == 6 and "source" not in results
    for place, image in enumerate(results["imgs"]):
        assert image.shape == (32, 48) and image.dtype == np.uint8
        assert np.abs(image.astype(int) - expected[place // 2, ..., place % 2]).mean() < 2
    assert results["modality"] == "Flow" and results["img_shape"] == results["original_shape"] == (32, 48)
    results["imgs"][0][:] = 3  # as mmcv's flip writes in place
    assert (results["imgs"][4] != 3).any()


def test_computed_where_none_was_extracted(tiny_root, caplog):
    sample = sample_of(tiny_root, [1, 5])
    with pytest.raises(InputError, match=r"has no extracted flow: run tools/prepare_data\.py flow"):
        DecodeFlow(**SETTINGS)(dict(sample))
    transform = DecodeFlow(**SETTINGS, compute=True)
    with caplog.at_level(logging.WARNING):
        found = [transform(dict(sample))["imgs"] for _ in range(2)][1]
    expected = compute_flow(sample["filename"], [1, 5], FlowSettings(**SETTINGS))
    np.testing.assert_array_equal(np.stack(found).reshape(2, 2, 32, 48), np.moveaxis(expected, -1, 1))
    assert transform.told


@pytest.mark.parametrize("change", [{"bound": 5}, {"short_side": 16}, {"effort": "full"}])
def test_flow_made_otherwise_is_refused_or_computed(written, change):
    settings = {**SETTINGS, **change}
    with pytest.raises(InputError, match="is of flow made with --short-side 32 --bound 4 --effort quick: remove"):
        DecodeFlow(**settings)(sample_of(written, [2]))
    image, _ = DecodeFlow(**settings, compute=True)(sample_of(written, [2]))["imgs"]
    expected = compute_flow(sample_of(written, [2])["filename"], [2], FlowSettings(**settings))
    np.testing.assert_array_equal(image, expected[0, ..., 0])


def test_missing_image_is_refused_or_computed(written, tmp_path):
    root = Path(shutil.copytree(written, tmp_path / "data"))
    (root / "train_flow" / "push_up" / "push_up_train_0" / "flow_x_00002.jpg").unlink()
    with pytest.raises(InputError, match=r"flow_x_00002\.jpg cannot be read"):
        DecodeFlow(**SETTINGS)(sample_of(root, [2]))
    assert len(DecodeFlow(**SETTINGS, compute=True)(sample_of(root, [2]))["imgs"]) == 2


@pytest.mark.parametrize("compute", [False, True])
def test_number_out_of_range(written, compute):
    with pytest.raises(InputError, match="has frames 1 to 12 but flow from frame 13"):
        DecodeFlow(**SETTINGS, compute=compute)(sample_of(written, [13]))


def test_parameters_are_checked_at_once():
    with pytest.raises(InputError, match="no effort 'best'"):
        DecodeFlow(effort="best")


def test_format_stacks_the_pairs_of_each_view():
    images = [np.full((4, 6), value, dtype=np.uint8) for value in range(12)]  # two clips of three pairs
    found = FormatFlow()(dict(imgs=images, clip_len=3))
    assert found["imgs"].shape == found["input_shape"] == (2, 6, 4, 6)
    assert found["imgs"][:, :, 0, 0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_mirrored_as_flow(written, scope):
    """mmaction2's own transforms mirror the place of flow, and the sign of its horizontal half."""
    from tpsparse.registry import TRANSFORMS

    flip = TRANSFORMS.build(dict(type="mmaction.Flip", flip_ratio=1))
    plain = DecodeFlow(**SETTINGS)(sample_of(written, [3, 9]))
    mirrored = flip(DecodeFlow(**SETTINGS)(sample_of(written, [3, 9])))
    for place, (before, after) in enumerate(zip(plain["imgs"], mirrored["imgs"])):
        expected = before[:, ::-1] if place % 2 else 255 - before[:, ::-1]
        np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize("total", [1, 2, 3, 12])
@pytest.mark.parametrize("test_mode", [False, True])
def test_pipeline_of_clips(written, scope, total, test_mode):
    """Videos shorter than a clip, too, and stretches that end with the video."""
    from tpsparse.registry import TRANSFORMS

    steps = [
        dict(type="mmaction.SampleFrames", clip_len=5, num_clips=3, test_mode=test_mode),
        dict(type="DecodeFlow", **SETTINGS),
        dict(type="mmaction.Resize", scale=(-1, 24)),
        dict(type="mmaction.ThreeCrop", crop_size=24),
        dict(type="FormatFlow"),
        dict(type="mmaction.PackActionInputs"),
    ]
    np.random.seed(0)
    sample = dict(sample_of(written, []), total_frames=total, start_index=13 - total)
    packed = Compose([TRANSFORMS.build(step) for step in steps])(sample)
    assert tuple(packed["inputs"].shape) == (9, 10, 24, 24)


def test_in_a_data_set(written, tiny_taxonomy, scope):
    pipeline = [
        dict(type="mmaction.SampleFrames", clip_len=5, num_clips=3),
        dict(type="DecodeFlow", **SETTINGS),
        dict(type="FormatFlow"),
        dict(type="mmaction.PackActionInputs"),
    ]
    common = dict(split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=pipeline)
    first, again = (TPSClipDataset(data_root=str(written), **common)[(0, 7)]["inputs"] for _ in range(2))
    assert first.shape == (3, 10, 32, 48) and (first == again).all()


def test_data_set_without_flow(tiny_root, tiny_taxonomy, scope):
    pipeline = [dict(type="mmaction.SampleFrames", clip_len=5), dict(type="DecodeFlow", **SETTINGS)]
    data = TPSClipDataset(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=pipeline)
    with pytest.raises(InputError, match=r"6 samples in a row cannot be read; the last: .* has no extracted flow: run"):
        data[(0, 0)]
