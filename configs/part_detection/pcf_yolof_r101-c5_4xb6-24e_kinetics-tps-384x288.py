"""PCF part detector, pose-guided: YOLOF, ResNet-101, on a person's crop with its keypoints painted on it.

Source: Pose-guided Coarse-to-Fine framework (2022), section II.B, equation 3; table II, "YOLOF part" with pose: AP
57.10, AP50 79.70 on its own validation videos (the 2021 runner-up's 809 of the training videos, not published).

    python tools/train.py configs/part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py
    python tools/test.py configs/part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py CHECKPOINT

Data: Kinetics-TPS in the official layout, and saved parses of its videos with boxes and keypoints, which the person
and pose stages of the system write (tools/reproduce.py). Hardware: 4 GPUs with 6 crops each, as "a mini-batch size of
six on four V100 GPUs" is taken here. Weights pretrained on ImageNet are downloaded at the first run; the report starts
from COCO, see the person detector's config.

The report does not say how large a crop is, nor the colours and radius of the dots. Here a crop has 384 x 288 pixels,
so that a hand is about one cell of stride 32, and anchors of 16 to 256 pixels, half of YOLOF's for whole frames.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

parses_dir = "work_dirs/pcf/parses"
input_size = (384, 288)
stride = 32

model = dict(
    _scope_="mmdet",
    type="tpsparse.PartYOLOF",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        # Weights of Caffe's kind want blue first and no division; the crops are RGB.
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
        num_classes="@num_parts",
        in_channels=512,
        reg_decoded_bbox=True,
        anchor_generator=dict(type="AnchorGenerator", ratios=[1.0], scales=[0.5, 1, 2, 4, 8], strides=[stride]),
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
    # Of each part the best box, if it has this score.
    test_cfg=dict(score_thr=0.05),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=24)
# One rate and one decay for all weights, as in the person detector's config.
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="SGD", lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.00066667, by_epoch=False, begin=0, end=1800),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=24)

paint = dict(type="PaintKeypoints", radius=0.02)
train_pipeline = [
    dict(type="JitterBox"),
    dict(type="CropPerson", input_size=input_size),
    dict(type="FlipPerson"),
    paint,
    dict(type="PackPartBoxes"),
]
test_pipeline = [dict(type="CropPerson", input_size=input_size), paint, dict(type="PackPartBoxes")]
dataset = dict(type="TPSPartDataset", data_root="@data_root", taxonomy="@taxonomy", frame_step=5)
train_dataloader = dict(
    batch_size=6,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", keypoints="@parses_dir/keypoints/train", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", keypoints="@parses_dir/keypoints/test", pipeline=test_pipeline),
)
test_evaluator = dict(type="PartParsingMetric")
test_cfg = dict()
