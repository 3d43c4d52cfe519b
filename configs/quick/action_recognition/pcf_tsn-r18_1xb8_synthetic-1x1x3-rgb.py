"""PCF's first recognizer on two cores: TSN of the full config, shallow, on small frames.

    python tools/train.py configs/quick/action_recognition/pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb.py
    python tools/test.py configs/quick/action_recognition/pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb.py

Data: a synthetic data set. Hardware: two CPU cores, some minute.
"""

_base_ = ["../_base_/quick.py"]

title = "tsn, rgb"
image_size = 64
max_epochs = 20

model = dict(
    type="FeatureRecognizer2D",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5, 127.5, 127.5], std=[64, 64, 64], format_shape="NCHW"
    ),
    backbone=dict(
        type="ResNet",
        depth=18,
        num_stages=3,
        out_indices=(2,),
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        pretrained=None,
        norm_eval=False,
    ),
    cls_head=dict(
        type="TSNHead",
        num_classes="@num_actions",
        in_channels=256,
        spatial_type="avg",
        consensus=dict(type="AvgConsensus", dim=1),
        dropout_ratio=0.2,
        init_std=0.01,
        average_clips="prob",
    ),
)

train_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=1, frame_interval=1, num_clips=3),
    dict(type="DecodeFrames"),
    dict(type="mmaction.RandomResizedCrop", area_range=(0.7, 1.0), aspect_ratio_range=(1.0, 1.5)),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="mmaction.FormatShape", input_format="NCHW"),
    dict(type="mmaction.PackActionInputs"),
]
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=1, frame_interval=1, num_clips=7, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.FormatShape", input_format="NCHW"),
    # What the state recognizers that are made of this config are measured by.
    dict(type="mmaction.PackActionInputs", meta_keys=("state_counts",)),
]
dataset = dict(type="TPSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
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
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=5)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5),
]
