"""PCF's second recognizer on two cores: TSN on optical flow of the full config, shallow, on small frames.

    python tools/train.py configs/quick/action_recognition/pcf_tsn-r18_1xb8_synthetic-5x1x3-flow.py
    python tools/test.py configs/quick/action_recognition/pcf_tsn-r18_1xb8_synthetic-5x1x3-flow.py

Data: a synthetic data set, and its flow, which is made first:
python tools/prepare_data.py flow work_dirs/demo/data --short-side 72 --effort quick
Hardware: two CPU cores, some minute.
"""

_base_ = ["../_base_/quick.py"]

title = "tsn, flow"
clip_len = 5
image_size = 64
max_epochs = 20
flow = dict(short_side=72, bound=20, effort="quick")

model = dict(
    type="FeatureRecognizer2D",
    # No motion is 128, the mirror image of a value its difference from 255. Motion is small: 4 is 0.6 pixels.
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5] * 2 * clip_len, std=[4] * 2 * clip_len, format_shape="NCHW"
    ),
    backbone=dict(
        type="ResNet",
        depth=18,
        num_stages=3,
        out_indices=(2,),
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        in_channels=2 * clip_len,
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
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=1, num_clips=3),
    dict(type="DecodeFlow", **flow),
    dict(type="mmaction.RandomResizedCrop", area_range=(0.7, 1.0), aspect_ratio_range=(1.0, 1.5)),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="FormatFlow"),
    dict(type="mmaction.PackActionInputs"),
]
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=1, num_clips=7, test_mode=True),
    dict(type="DecodeFlow", **flow, compute=True),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="FormatFlow"),
    # What the state recognizers that are made of this config are measured by.
    dict(type="mmaction.PackActionInputs", meta_keys=("state_counts",)),
]
dataset = dict(type="TPSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
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
