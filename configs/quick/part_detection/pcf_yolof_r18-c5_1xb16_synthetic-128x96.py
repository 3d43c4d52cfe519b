"""PCF part detector at a size that trains on two cores: pose-guided YOLOF, narrow, on small crops.

    python tools/reproduce.py configs/quick/systems/pcf.py
    python tools/train.py configs/quick/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96.py \
        --cfg-options train_dataloader.dataset.keypoints=work_dirs/demo/data/keypoints

Data: the synthetic data set of `make demo`, and saved parses of its videos with keypoints: the first command makes and
uses them, the second takes the true ones instead. Hardware: two CPU cores, some two minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "part detection"
parses_dir = "work_dirs/quick_pcf/parses"
max_epochs = 3
input_size = (128, 96)
base_channels = 12
channels = 48
# The last stages are dilated instead of halved, further than in YOLOF's DC5 variant: hands are ten pixels wide.
stride = 8

model = dict(
    _scope_="mmdet",
    type="tpsparse.PartYOLOF",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
        pad_size_divisor=stride,
    ),
    backbone=dict(
        type="ResNet",
        depth=18,
        base_channels=base_channels,
        num_stages=4,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        out_indices=(3,),
        frozen_stages=-1,
        norm_cfg=dict(type="BN", requires_grad=True),
        norm_eval=False,
        style="pytorch",
    ),
    neck=dict(
        type="DilatedEncoder",
        in_channels=8 * base_channels,
        out_channels=channels,
        block_mid_channels=channels // 2,
        num_residual_blocks=3,
        # The crop is 16 x 12 cells.
        block_dilations=[1, 2, 3],
    ),
    bbox_head=dict(
        type="tpsparse.TiedYOLOFHead",
        num_classes="@num_parts",
        in_channels=channels,
        num_cls_convs=1,
        num_reg_convs=1,
        reg_decoded_bbox=True,
        # Anchors of 8, 16 and 32 pixels.
        anchor_generator=dict(type="AnchorGenerator", ratios=[1.0], scales=[1, 2, 4], strides=[stride]),
        bbox_coder=dict(
            type="DeltaXYWHBBoxCoder",
            target_means=[0.0] * 4,
            target_stds=[1.0] * 4,
            add_ctr_clamp=True,
            ctr_clamp=stride,
        ),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=1.0),
    ),
    train_cfg=dict(
        assigner=dict(type="UniformAssigner", pos_ignore_thr=0.15, neg_ignore_thr=0.7),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    ),
    test_cfg=dict(score_thr=0.05),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01), clip_grad=dict(max_norm=10)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=2e-5),
]

paint = dict(type="PaintKeypoints", radius=0.02)
train_pipeline = [
    dict(type="JitterBox"),
    dict(type="CropPerson", input_size=input_size),
    dict(type="FlipPerson"),
    dict(type="JitterColor"),
    paint,
    dict(type="PackPartBoxes"),
]
test_pipeline = [dict(type="CropPerson", input_size=input_size), paint, dict(type="PackPartBoxes")]
dataset = dict(type="TPSPartDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(
        **dataset,
        split="@train_split",
        frame_step=5,
        keypoints="@parses_dir/keypoints/train",
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        **dataset,
        split="@test_split",
        frame_step=5,
        keypoints="@parses_dir/keypoints/test",
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type="PartParsingMetric")
test_cfg = dict()
