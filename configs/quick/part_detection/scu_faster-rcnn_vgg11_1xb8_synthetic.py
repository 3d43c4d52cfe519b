"""SCU detector of parts and objects at a size that trains on one core: Faster R-CNN, VGG-11, narrow, on small frames.

    python tools/train.py configs/quick/part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py
    python tools/test.py configs/quick/part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py

Data: the synthetic data set of `make demo`. Hardware: one CPU core, some four minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "part detection"
max_epochs = 3
base_channels = 12
channels = 8 * base_channels
stride = 16
# Twice the frame: hands are nine pixels wide, and a cell of the map sixteen.
image_scale = (384, 288)

proposal_nms = dict(type="nms", iou_threshold=0.7)
bbox_coder = dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4)

model = dict(
    _scope_="mmdet",
    type="FasterRCNN",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
        pad_size_divisor=stride,
    ),
    backbone=dict(
        type="tpsparse.VGG",
        depth=11,
        base_channels=base_channels,
        # Begun with nothing, the plain network learns nothing in so short a time.
        norm_cfg=dict(type="BN"),
        norm_eval=False,
    ),
    rpn_head=dict(
        type="RPNHead",
        in_channels=channels,
        feat_channels=channels,
        # Anchors of 16 to 128 pixels, half of that in the frame.
        anchor_generator=dict(type="AnchorGenerator", scales=[1, 2, 4, 8], ratios=[0.5, 1.0, 2.0], strides=[stride]),
        bbox_coder=dict(**bbox_coder, target_stds=[1.0] * 4),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type="L1Loss", loss_weight=1.0),
    ),
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=dict(
            type="SingleRoIExtractor",
            # One sample a bin: with two, RoIAlign's backward takes long on a CPU.
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
            out_channels=channels,
            featmap_strides=[stride],
        ),
        bbox_head=dict(
            type="Shared2FCBBoxHead",
            in_channels=channels,
            fc_out_channels=128,
            roi_feat_size=7,
            num_classes="@num_parts_and_objects",
            bbox_coder=dict(**bbox_coder, target_stds=[0.1, 0.1, 0.2, 0.2]),
            reg_class_agnostic=False,
            loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0),
            loss_bbox=dict(type="L1Loss", loss_weight=1.0),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type="MaxIoUAssigner", pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True
            ),
            sampler=dict(type="RandomSampler", num=128, pos_fraction=0.5, add_gt_as_proposals=False),
            allowed_border=0,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(nms_pre=512, max_per_img=128, nms=proposal_nms, min_bbox_size=0),
        rcnn=dict(
            assigner=dict(
                type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5, match_low_quality=False
            ),
            sampler=dict(type="RandomSampler", num=64, pos_fraction=0.5, add_gt_as_proposals=True),
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=512, max_per_img=128, nms=proposal_nms, min_bbox_size=0),
        # Left and right are two classes, so that a part has a box in both where they are hard to tell apart.
        rcnn=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=100),
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
meta_keys += ("video", "frame_index")
train_pipeline = [
    dict(type="LoadBoxes"),
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="SwapSides"),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
    dict(type="LoadBoxes"),
    dict(type="mmdet.PackDetInputs", meta_keys=meta_keys),
]
dataset = dict(type="TPSPartObjectDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", frame_step=5, skip_empty=True, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PartObjectAPMetric", taxonomy="@taxonomy")
test_cfg = dict()
