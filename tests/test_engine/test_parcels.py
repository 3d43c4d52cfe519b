"""Batches in one piece: what comes out is what went in."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from torch.utils.data import DataLoader, Dataset

from tpsparse.engine.optim import end_workers
from tpsparse.engine.parcels import ALIGNMENT, Parcel, Parcels, _places


def through(content):
    """As a worker hands it over, but for the shared memory."""
    return pickle.loads(pickle.dumps(Parcel(content)))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12, dtype=torch.uint8).reshape(3, 4),
        torch.arange(12.0).reshape(3, 4).T,  # not contiguous
        torch.arange(12.0)[::5],
        torch.tensor(1.5, dtype=torch.float64),
        torch.zeros(0, 4),
        torch.tensor([True, False]),
        torch.tensor([float("nan"), -0.0, float("inf")], dtype=torch.float16),
        torch.tensor([1.5, 2.0], dtype=torch.bfloat16),  # which NumPy does not have
        torch.ones(3).expand(4, 3),
        torch.nn.Parameter(torch.ones(2)),
    ],
    ids=lambda tensor: f"{tensor.dtype} {tuple(tensor.shape)}",
)
def test_tensors(tensor):
    found = through(tensor)
    assert type(found) is type(tensor) and (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert found.requires_grad == tensor.requires_grad
    torch.testing.assert_close(found, tensor, equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize(
    "content",
    [None, {}, [], "Dreisprung é (1).mp4", {"a": [1, (2.5, None)], 3: b"x"}, [np.int64(4), np.str_("b")]],
    ids=str,
)
def test_other_things(content):
    assert through(content) == content


def test_arrays():
    content = {
        "whole": np.arange(6, dtype=np.int32).reshape(2, 3),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "empty": np.zeros((0, 4), dtype=np.float32),
        "names": np.array(["a", "é"]),
        "objects": np.array([None, {"b": 1}], dtype=object),
    }
    found = through(content)
    for name, array in content.items():
        assert found[name].dtype == array.dtype and found[name].tolist() == array.tolist()


def test_data_samples():
    from mmdet.structures import DetDataSample
    from mmdet.structures.bbox import HorizontalBoxes

    sample = DetDataSample(metainfo=dict(img_shape=(4, 6), video="é.mp4"))
    boxes = HorizontalBoxes(torch.arange(8.0).reshape(2, 4))
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([1, 0]))
    found = through([sample])[0]
    assert found.metainfo == sample.metainfo and type(found.gt_instances.bboxes) is HorizontalBoxes
    assert found.gt_instances.bboxes.tensor.equal(boxes.tensor) and found.gt_instances.labels.tolist() == [1, 0]


def test_all_lies_in_one_piece_and_can_be_written_to():
    content = through([torch.ones(3), torch.ones(5, 7), np.ones(2)])
    places = [content[0].data_ptr(), content[1].data_ptr(), content[2].ctypes.data]
    assert all(place % ALIGNMENT == places[0] % ALIGNMENT for place in places) and max(places) - min(places) < 1000
    for array in content:
        array += 1
    assert [float(array.sum()) for array in content] == [6, 70, 4]


def test_what_is_one_stays_one():
    tensor = torch.zeros(3)
    one, two = through([tensor, tensor])
    one += 1
    assert two.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("sizes", "starts", "total"),
    [([1], [0], 64), ([64, 1], [0, 64], 128), ([65, 0, 3], [0, 128, 128], 192)],
)
def test_places(sizes, starts, total):
    assert _places(sizes) == (starts, total)


class Samples(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 4:
            raise ValueError("the fifth is broken")
        return dict(inputs=torch.full((3, 2), index, dtype=torch.uint8), name=f"video {index}")


@pytest.mark.parametrize("workers", [0, 2])
def test_in_a_loader(workers):
    collate = Parcels(pseudo_collate)
    loader = DataLoader(Samples(), 2, num_workers=workers, persistent_workers=workers > 0, collate_fn=collate)
    batches = iter(loader)
    found = [next(batches), next(batches)]
    assert [[int(image[0, 0]) for image in batch["inputs"]] for batch in found] == [[0, 1], [2, 3]]
    assert [batch["name"] for batch in found] == [["video 0", "video 1"], ["video 2", "video 3"]]
    with pytest.raises(ValueError, match="the fifth is broken"):
        next(batches)
    end_workers(loader)


def test_a_batch_that_cannot_be_packed_is_told():
    """Pickle's own error reaches the process that trains, which otherwise would wait for ever."""
    collate = Parcels(lambda samples: lambda: samples)
    loader = DataLoader(Samples(), 2, num_workers=1, persistent_workers=True, collate_fn=collate)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        next(iter(loader))
    end_workers(loader)
