"""Narrow state recognizers for the drawn data set: configs as files, and random weights of them.

Labels are pairs of the three actions and of the group's state in segments of 0.6 s: six frames of twelve.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

BACKBONES = {
    "2d": 'dict(type="ResNet", depth=18, num_stages=1, out_indices=(0,), strides=(1,), dilations=(1,))',
    "3d": 'dict(type="ResNet3dCSN", pretrained2d=False, pretrained=None, depth=50, base_channels=4, with_pool2=False)',
}
HEADS = {
    "2d": 'type="TSNHead", in_channels=64, consensus=dict(type="AvgConsensus", dim=1)',
    "3d": 'type="I3DHead", in_channels=128, spatial_type="avg"',
}
SAMPLING = {"2d": "clip_len=1, num_clips=3", "3d": "clip_len=4, frame_interval=2, num_clips=2"}
FORMATS = {"2d": "NCHW", "3d": "NCTHW"}
CLASSES = {"2d": "FeatureRecognizer2D", "3d": "FeatureRecognizer"}
TEXT = """
_base_ = [{base!r}]
data_root = {root!r}
train_split = "train"
test_split = "test"
group = "head"
seconds = 0.6
model = dict(
    type={kind!r},
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5] * 3, std=[64.0] * 3, format_shape={shape!r}
    ),
    backbone={backbone},
    cls_head=dict({head}, num_classes="@num_labels", average_clips="prob"),
)
def pipeline(test_mode):
    return [
        dict(type="mmaction.SampleFrames", {sampling}, test_mode=test_mode),
        dict(type="DecodeFrames"),
        dict(type="mmaction.Resize", scale=(32, 32), keep_ratio=False),
        dict(type="mmaction.FormatShape", input_format={shape!r}),
        dict(type="mmaction.PackActionInputs", meta_keys=("state_counts",)),
    ]
test_pipeline = pipeline(True)
dataset = dict(
    type="TPSSegmentDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    group="@group",
    label_table="@label_table",
    segments=dict(type="EqualSegments", seconds="@seconds"),
)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=pipeline(False)),
)
test_dataloader = dict(
    batch_size=3,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(type="StateAccuracy")
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs={epochs})
test_cfg = dict()
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3))
param_scheduler = []
del pipeline
"""


def write_config(path: Path, root: Path, kind: str = "2d", *, epochs: int = 1) -> Path:
    """A training config of a recognizer of images (``2d``, as TSN) or of clips (``3d``, as CSN)."""
    base = Path(__file__).resolve().parents[1] / "configs" / "quick" / "_base_" / "quick.py"
    chosen = dict(kind=CLASSES[kind], shape=FORMATS[kind], backbone=BACKBONES[kind], head=HEADS[kind])
    text = TEXT.format(base=str(base), root=str(root), sampling=SAMPLING[kind], epochs=epochs, **chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def save_weights(
    config: Path, folder: Path, options: dict[str, Any] | None = None, *, seed: int = 0, **changes: Any
) -> Path:
    """Random weights with their label table, as training leaves them; ``changes`` are of the stored label table."""
    from mmengine.registry import init_default_scope

    from tpsparse.engine import load_config
    from tpsparse.registry import MODELS, SCOPE

    cfg = load_config(config, options=options)
    init_default_scope(SCOPE)
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    table = {**cfg.label_table.to_dict(), **changes}
    meta = {"dataset_meta": {"taxonomy": cfg.taxonomy.to_dict(), "label_table": table}}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"meta": meta, "state_dict": model.state_dict()}, folder / "epoch_1.pth")
    (folder / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))
    return folder
