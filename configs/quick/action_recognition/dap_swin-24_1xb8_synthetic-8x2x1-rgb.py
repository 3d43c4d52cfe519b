"""DAP action recognition that trains on two cores: Video Swin Transformer of the full config, narrow, on small clips.

    python tools/train.py configs/quick/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb.py
    python tools/test.py configs/quick/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some two minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "video swin"
clip_len = 8
frame_interval = 2
image_size = 64
max_epochs = 10

model = dict(
    type="FeatureRecognizer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], format_shape="NCTHW"
    ),
    backbone=dict(
        type="SwinTransformer3D",
        arch=dict(embed_dims=24, depths=[2, 2, 2, 2], num_heads=[2, 4, 4, 8]),
        pretrained=None,
        pretrained2d=False,
        patch_size=(2, 4, 4),
        window_size=(4, 4, 4),
        drop_path_rate=0.0,
        patch_norm=True,
    ),
    cls_head=dict(
        type="I3DHead",
        in_channels=192,
        num_classes="@num_actions",
        spatial_type="avg",
        dropout_ratio=0.2,
        average_clips="prob",
    ),
)

train_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=frame_interval),
    dict(type="DecodeFrames"),
    dict(type="mmaction.RandomResizedCrop", area_range=(0.7, 1.0), aspect_ratio_range=(1.0, 1.5)),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="mmaction.FormatShape", input_format="NCTHW"),
    dict(type="mmaction.PackActionInputs"),
]
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=frame_interval, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.FormatShape", input_format="NCTHW"),
    dict(type="mmaction.PackActionInputs"),
]
dataset = dict(type="TPSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", repeat=2, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(type="mmaction.AccMetric", metric_options=dict(top_k_accuracy=dict(topk=(1,))))

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=5e-4, weight_decay=0.05), clip_grad=dict(max_norm=5)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5),
]
