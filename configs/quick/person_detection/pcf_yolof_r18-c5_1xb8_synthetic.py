"""PCF person detector at a size that trains on two cores: YOLOF, narrow, on small frames.

    python tools/train.py configs/quick/person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py
    python tools/test.py configs/quick/person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some two minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "person detection"
max_epochs = 2
base_channels = 16
# The last stage is dilated instead of halved, as in YOLOF's DC5 variant: persons are few cells wide at stride 32.
stride = 16

model = dict(
    _scope_="mmdet",
    type="YOLOF",
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
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        out_indices=(3,),
        frozen_stages=-1,
        norm_cfg=dict(type="BN", requires_grad=True),
        norm_eval=False,
        style="pytorch",
    ),
    neck=dict(
        type="DilatedEncoder",
        in_channels=8 * base_channels,
        out_channels=64,
        block_mid_channels=32,
        num_residual_blocks=3,
        # The frames are 12 x 9 cells.
        block_dilations=[1, 2, 3],
    ),
    bbox_head=dict(
        type="tpsparse.TiedYOLOFHead",
        num_classes=1,
        in_channels=64,
        num_cls_convs=1,
        num_reg_convs=2,
        reg_decoded_bbox=True,
        # Anchors of 32, 64 and 128 pixels.
        anchor_generator=dict(type="AnchorGenerator", ratios=[1.0], scales=[2, 4, 8], strides=[stride]),
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
    test_cfg=dict(
        nms_pre=300, min_bbox_size=0, score_thr=0.05, nms=dict(type="nms", iou_threshold=0.6), max_per_img=10
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01), clip_grad=dict(max_norm=10)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=2e-5),
]

meta_keys = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
meta_keys += ("video", "frame_index", "action")
image_scale = (192, 144)
train_pipeline = [
    dict(type="LoadBoxes"),
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="mmdet.PhotoMetricDistortion"),
    dict(
        type="mmdet.RandomAffine",
        max_rotate_degree=0.0,
        max_translate_ratio=0.1,
        scaling_ratio_range=(0.75, 1.25),
        max_shear_degree=0.0,
        border_val=(124, 116, 104),
    ),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="LoadBoxes"),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
dataset = dict(type="TPSPersonDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    # Neighbouring frames are alike.
    dataset=dict(**dataset, split="@train_split", frame_step=5, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PersonAPMetric")
test_cfg = dict()
