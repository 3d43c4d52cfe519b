"""Padding of features, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from tpsparse.datasets.transforms import PackFeatures
from tpsparse.models.fusion import FeaturePreprocessor


def make_video(frames: int, persons: int) -> dict[str, np.ndarray]:
    return dict(
        context=np.ones((frames, 4), dtype=np.float32),
        part=np.ones((frames, persons, 3), dtype=np.float64),
        person_mask=np.ones((frames, persons), dtype=bool),
        swin=np.ones(5, dtype=np.float16),
    )


@pytest.mark.parametrize("collated", [False, True])
def test_batch(collated):
    videos = [make_video(2, 3), make_video(4, 1)]
    inputs = pseudo_collate(videos) if collated else videos
    batch = FeaturePreprocessor()(dict(inputs=inputs, data_samples=["a", "b"]))
    shapes = {name: tuple(tensor.shape) for name, tensor in batch["inputs"].items()}
    assert shapes == dict(context=(2, 4, 4), part=(2, 4, 3, 3), person_mask=(2, 4, 3), swin=(2, 5), frame_mask=(2, 4))
    assert batch["inputs"]["frame_mask"].tolist() == [[True, True, False, False], [True] * 4]
    assert batch["inputs"]["person_mask"][1].tolist() == [[True, False, False]] * 4
    assert batch["inputs"]["part"][0].sum() == 2 * 3 * 3 and batch["inputs"]["part"].dtype == torch.float32
    assert batch["data_samples"] == ["a", "b"]


def test_there_is_room_for_one_frame_and_one_person():
    inputs = FeaturePreprocessor()(dict(inputs=[make_video(0, 0)]))["inputs"]
    assert inputs["part"].shape == (1, 1, 1, 3) and not inputs["person_mask"].any() and not inputs["frame_mask"].any()


def test_packed_videos_make_a_batch():
    def pack(counts: list[int]) -> dict:
        persons = [dict(part=np.full((count, 3), 7.0)) for count in counts]
        frames = dict(context=np.zeros((len(counts), 4)))
        results = dict(frame_features=frames, person_features=persons, video_features=dict(swin=np.zeros(5)))
        return PackFeatures()(dict(results, video="v", action=1))

    batch = FeaturePreprocessor()(pseudo_collate([pack([2, 0]), pack([1, 0, 3])]))
    assert batch["inputs"]["person_mask"].sum(dim=2).tolist() == [[2, 0, 0], [1, 0, 3]]
    assert batch["inputs"]["part"].sum(dim=(2, 3)).tolist() == [[42, 0, 0], [21, 0, 63]]
    assert batch["inputs"]["frame_mask"].tolist() == [[True, True, False], [True, True, True]]


def test_refusals():
    with pytest.raises(ValueError, match=r"part has \[2\] frames"):
        FeaturePreprocessor()(dict(inputs=[dict(make_video(3, 1), part=np.ones((2, 1, 3)))]))
    video = make_video(2, 1)
    del video["person_mask"]
    with pytest.raises(ValueError, match="person_mask"):
        FeaturePreprocessor()(dict(inputs=[video]))
