"""The runner-up's second recognizer on two cores: ir-CSN with frozen batch norm.

    python tools/train.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_bn.py
    python tools/train.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb.py
    python tools/test.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb.py

Training starts from the backbone of the first command. Data: a synthetic data set. Hardware: two CPU cores, some
twenty seconds.
"""

_base_ = ["../_base_/quick.py"]

title = "ir-csn"
start_from = "{{ fileDirname }}/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_bn.py"
clip_len = 8
frame_interval = 4  # 8 frames at 15 a second span 1.9 s, as 32 frames 2 apart at 30 do 2.1 s
image_size = 56
max_epochs = 4

model = dict(
    type="FeatureRecognizer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5, 127.5, 127.5], std=[64, 64, 64], format_shape="NCTHW"
    ),
    backbone=dict(
        type="ResNet3dCSN",
        pretrained2d=False,
        pretrained=None,
        depth=50,
        base_channels=16,
        # Without the last stage: training learns more in the same time.
        num_stages=3,
        out_indices=(2,),
        spatial_strides=(1, 2, 2),
        temporal_strides=(1, 2, 2),
        dilations=(1, 1, 1),
        with_pool2=False,
        bottleneck_mode="ir",
        norm_eval=True,
        bn_frozen=True,
        zero_init_residual=True,
    ),
    cls_head=dict(
        type="I3DHead",
        num_classes="@num_actions",
        in_channels=256,
        spatial_type="avg",
        dropout_ratio=0.2,
        init_std=0.01,
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
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=frame_interval, num_clips=7, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.FormatShape", input_format="NCTHW"),
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
    batch_size=2,
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
