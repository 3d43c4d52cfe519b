"""What a step does not depend on: how many processes read its data, and what it says meanwhile."""

from __future__ import annotations

import pytest
from tiny import quick_config

from tpsparse.engine import load_config
from tpsparse.reproduction.workplace import Workplace


@pytest.fixture
def place(tiny_root, tmp_path):
    cfg = load_config(quick_config("part_parsing"), options={"data_root": str(tiny_root)}, work_dir=tmp_path)
    return Workplace(cfg)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"train_dataloader.num_workers": 0, "train_dataloader.persistent_workers": False}, True),
        ({"train_dataloader.num_workers": 3, "train_dataloader.prefetch_factor": 4}, True),
        ({"default_hooks.data_share.limit": 0.5}, True),
        ({"train_dataloader.batch_size": 3}, False),
        ({"train_precision": "bf16"}, False),
        ({"num_threads": 2}, False),
    ],
)
def test_identity(place, options, same, training):
    config = quick_config("part_parsing")
    own, other = (place.identity(config, given, training=training) for given in ({}, options))
    assert (place.mark(own) == place.mark(other)) == same
