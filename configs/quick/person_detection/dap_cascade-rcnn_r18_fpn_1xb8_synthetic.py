"""DAP person detector at a size that trains on two cores: the classes of the full config, narrow, on small frames.

    python tools/train.py configs/quick/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py
    python tools/test.py configs/quick/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some three minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "person detection"
max_epochs = 3

num_actions = "@num_actions"
base_channels = 16
fpn_channels = 32
# Three levels: persons fill most of these frames, and stride 4 would double the time.
strides = [8, 16, 32]

roi_extractor = dict(
    type="SingleRoIExtractor",
    # One sample a bin: with two, RoIAlign's backward takes a third of an iteration on a CPU.
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
    out_channels=fpn_channels,
    featmap_strides=strides,
)
proposal_nms = dict(type="nms", iou_threshold=0.7)
proposals = dict(nms_pre=128, max_per_img=64, nms=proposal_nms, min_bbox_size=0)
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
        depth=18,
        base_channels=base_channels,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type="BN", requires_grad=True),
        norm_eval=False,
        style="pytorch",
    ),
    neck=dict(
        type="FPN",
        in_channels=[base_channels * 2**i for i in range(4)],
        start_level=1,
        out_channels=fpn_channels,
        num_outs=len(strides),
    ),
    rpn_head=dict(
        type="RPNHead",
        in_channels=fpn_channels,
        feat_channels=fpn_channels,
        # Anchors of 32, 64 and 128 pixels.
        anchor_generator=dict(type="AnchorGenerator", scales=[4], ratios=[0.5, 1.0, 2.0], strides=strides),
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
                fc_out_channels=128,
                roi_feat_size=7,
                num_classes=1,
                bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=stds),
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
        conv_channels=32,
        num_convs=4,
        roi_extractor=roi_extractor,
        assigner=stage_assigners[0],
        sampler=dict(type="RandomSampler", num=16, pos_fraction=1.0, neg_pos_ub=0, add_gt_as_proposals=True),
    ),
    context_action=dict(type="tpsparse.GlobalContextHead", num_actions=num_actions, in_channels=base_channels * 8),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type="MaxIoUAssigner", pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True
            ),
            sampler=dict(type="RandomSampler", num=64, pos_fraction=0.5, add_gt_as_proposals=False),
            allowed_border=0,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=proposals,
        rcnn=[
            dict(
                assigner=assigner,
                sampler=dict(type="RandomSampler", num=32, pos_fraction=0.25, add_gt_as_proposals=True),
                pos_weight=-1,
                debug=False,
            )
            for assigner in stage_assigners
        ],
    ),
    test_cfg=dict(rpn=proposals, rcnn=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=10)),
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
    # Few videos: without these the action branches learn clothes and backgrounds by heart.
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
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PersonAPMetric")
test_cfg = dict()
