"""DAP person detector: Cascade R-CNN, ResNet-101 FPN, with both action branches.

Source: Disentangled Action Parsing (2021), section 2.1 and table 2. Table 3: mAP 76.0 on a random 30 % of the
training videos (the split was not published), 76.6 without the branches.

    python tools/train.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py
    python tools/test.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: 8 GPUs with 2 frames each; the learning rate is for 16
frames an iteration. Weights pretrained on ImageNet and COCO are downloaded at the first run.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

num_actions = "@num_actions"
fpn_channels = 256
strides = [4, 8, 16, 32, 64]

roi_extractor = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
    out_channels=fpn_channels,
    featmap_strides=strides[:4],
)
proposal_nms = dict(type="nms", iou_threshold=0.7)
# One entry a stage of the cascade: IoU of a positive, and the spread of the box targets.
stage_ious = [0.5, 0.6, 0.7]
stage_stds = [[0.1, 0.1, 0.2, 0.2], [0.05, 0.05, 0.1, 0.1], [0.033, 0.033, 0.067, 0.067]]
stage_assigners = [
    dict(type="MaxIoUAssigner", pos_iou_thr=iou, neg_iou_thr=iou, min_pos_iou=iou, match_low_quality=False)
    for iou in stage_ious
]

model = dict(
    _scope_="mmdet",
    type="tpsparse.ActionCascadeRCNN",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type="ResNet",
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type="BN", requires_grad=True),
        norm_eval=True,
        style="pytorch",
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
    ),
    neck=dict(type="FPN", in_channels=[256, 512, 1024, 2048], out_channels=fpn_channels, num_outs=len(strides)),
    rpn_head=dict(
        type="RPNHead",
        in_channels=fpn_channels,
        feat_channels=fpn_channels,
        anchor_generator=dict(type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=strides),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=[1.0] * 4),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9.0, loss_weight=1.0),
    ),
    roi_head=dict(
        type="CascadeRoIHead",
        num_stages=len(stage_ious),
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_roi_extractor=roi_extractor,
        bbox_head=[
            dict(
                type="Shared2FCBBoxHead",
                in_channels=fpn_channels,
                fc_out_channels=1024,
                roi_feat_size=7,
                num_classes=1,
                bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=stds),
                # Four outputs; the report's eight are four for person and four for background, which are not used.
                reg_class_agnostic=True,
                loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0),
                loss_bbox=dict(type="SmoothL1Loss", beta=1.0, loss_weight=1.0),
            )
            for stds in stage_stds
        ],
    ),
    instance_action=dict(
        type="tpsparse.ActionRCNNHead",
        num_actions=num_actions,
        in_channels=fpn_channels,
        conv_channels=256,
        num_convs=4,
        roi_extractor=roi_extractor,
        assigner=stage_assigners[0],
        # Positives only, the annotated persons among them.
        sampler=dict(type="RandomSampler", num=128, pos_fraction=1.0, neg_pos_ub=0, add_gt_as_proposals=True),
    ),
    context_action=dict(type="tpsparse.GlobalContextHead", num_actions=num_actions, in_channels=2048),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type="MaxIoUAssigner", pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True
            ),
            sampler=dict(type="RandomSampler", num=256, pos_fraction=0.5, add_gt_as_proposals=False),
            allowed_border=0,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(nms_pre=2000, max_per_img=2000, nms=proposal_nms, min_bbox_size=0),
        rcnn=[
            dict(
                assigner=assigner,
                sampler=dict(type="RandomSampler", num=512, pos_fraction=0.25, add_gt_as_proposals=True),
                pos_weight=-1,
                debug=False,
            )
            for assigner in stage_assigners
        ],
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=1000, max_per_img=1000, nms=proposal_nms, min_bbox_size=0),
        # Ten persons a frame are what the challenge scores and what the action fusion uses.
        rcnn=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=10),
    ),
)

load_from = (
    "https://download.openmmlab.com/mmdetection/v2.0/cascade_rcnn/cascade_rcnn_r101_fpn_1x_coco/"
    "cascade_rcnn_r101_fpn_1x_coco_20200317-0b6a2fbf.pth"
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=12)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=12, milestones=[8, 11], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=16)

meta_keys = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
meta_keys += ("video", "frame_index", "action")
image_scale = (1333, 800)
train_pipeline = [
    dict(type="LoadBoxes"),
    dict(type="mmdet.Resize", scale=image_scale, keep_ratio=True),
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
    batch_size=2,
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
