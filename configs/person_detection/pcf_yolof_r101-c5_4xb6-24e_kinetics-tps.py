"""PCF person detector: YOLOF, ResNet-101, one feature level of stride 32.

Source: Pose-guided Coarse-to-Fine framework (2022), sections II.B and III.A; table II, "YOLOF person" without pose: AP
74.60, AP50 93.40 on its own validation videos (the 2021 runner-up's 809 of the training videos, not published). With
pose, that is with boxes grown over the keypoints, 74.80 and 93.80: a system, not another detector.

    python tools/train.py configs/person_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps.py
    python tools/test.py configs/person_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: 4 GPUs with 6 frames each, as "a mini-batch size of six on four
V100 GPUs" is taken here: six frames in all cannot be shared by four. Weights pretrained on ImageNet are downloaded at
the first run. The report starts from COCO: mmdet publishes YOLOF with ResNet-50 alone, the authors of YOLOF one with
ResNet-101 (github.com/chensnathan/YOLOF, R_101_C5_1x). To start from it:

    python tools/convert_weights.py yolof THEIRS.pth --out data/weights/yolof_r101_person.pth
    python tools/train.py ... --cfg-options load_from=data/weights/yolof_r101_person.pth
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

stride = 32

model = dict(
    _scope_="mmdet",
    type="YOLOF",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        # Weights of Caffe's kind want blue first and no division; the frames are RGB.
        mean=[103.53, 116.28, 123.675],
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        pad_size_divisor=stride,
    ),
    backbone=dict(
        type="ResNet",
        depth=101,
        num_stages=4,
        out_indices=(3,),
        frozen_stages=1,
        norm_cfg=dict(type="BN", requires_grad=False),
        norm_eval=True,
        style="caffe",
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/pretrain/third_party/resnet101_caffe-3ad79236.pth",
        ),
    ),
    neck=dict(
        type="DilatedEncoder",
        in_channels=2048,
        out_channels=512,
        block_mid_channels=128,
        num_residual_blocks=4,
        block_dilations=[2, 4, 6, 8],
    ),
    bbox_head=dict(
        type="tpsparse.TiedYOLOFHead",
        num_classes=1,
        in_channels=512,
        reg_decoded_bbox=True,
        anchor_generator=dict(type="AnchorGenerator", ratios=[1.0], scales=[1, 2, 4, 8, 16], strides=[stride]),
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
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.05,
        nms=dict(type="nms", iou_threshold=0.6),
        max_per_img=10,  # the ten best persons a frame
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=24)
# One rate and one decay for all weights: the factors of mmdet's recipe (a third for the backbone, no decay of norms)
# are not in the report.
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="SGD", lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
)
param_scheduler = [
    # The report gives the length of the warm-up, mmdet's recipe of YOLOF where it starts.
    dict(type="LinearLR", start_factor=0.00066667, by_epoch=False, begin=0, end=1800),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=24)

meta_keys = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
meta_keys += ("video", "frame_index", "action")
# Sizes and augmentation are those of mmdet's recipe of YOLOF.
image_scale = (1333, 800)
train_pipeline = [
    dict(type="LoadBoxes"),
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="mmdet.RandomShift", prob=0.5, max_shift_px=32),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="LoadBoxes"),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
dataset = dict(type="TPSPersonDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=6,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    # Neighbouring frames are alike: every fifth of the 574,851 gives an epoch of COCO's size.
    dataset=dict(**dataset, split="@train_split", frame_step=5, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PersonAPMetric")
test_cfg = dict()
