"""SCU detector of parts and objects on whole frames: Faster R-CNN, VGG-16, the ten parts and the list of objects.

Source: Kinetics-TPS Track Technical Report of Sichuan University (2022), section 2.1: "Faster-RCNN ... VGG-16 as its
backbone pretrained on COCO ... The same training strategy is employed with the original Faster-RCNN", which is Ren et
al., "Faster R-CNN" (2015), section 3. The report measures no detector.

    python tools/train.py configs/part_detection/scu_faster-rcnn_vgg16_1xb1_kinetics-tps.py
    python tools/test.py configs/part_detection/scu_faster-rcnn_vgg16_1xb1_kinetics-tps.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: one GPU with one frame, as in the paper. Weights pretrained on
ImageNet are downloaded at the first run: no file of this detector trained on COCO is known to be published.

From the paper: shorter side 600 and longer 1000, one map at stride 16, anchors of 128, 256 and 512 pixels in three
shapes, 256 anchors an image, 2000 proposals (300 in testing), 128 regions an image, SGD at 0.001 and then 0.0001 for a
quarter of the time, conv3_1 and up trained, both networks at once. Not from it: RoIAlign in place of RoIPool, fully
connected layers that begin with random weights and have no dropout (mmdet's), four epochs in place of 80,000 iterations
on VOC, the warm-up, and up to 300 boxes a frame, for ten persons have a hundred parts.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

channels = 512
stride = 16
max_epochs = 4
proposal_nms = dict(type="nms", iou_threshold=0.7)
bbox_coder = dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4)

model = dict(
    _scope_="mmdet",
    type="FasterRCNN",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        # This file's weights want red first and no division, as mmdet's SSD has it; the frames are RGB.
        mean=[123.675, 116.28, 103.53],
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
        pad_size_divisor=stride,
    ),
    backbone=dict(
        type="tpsparse.VGG",
        depth=16,
        frozen_stages=2,
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/pretrain/third_party/vgg16_caffe-292e1171.pth",
        ),
    ),
    rpn_head=dict(
        type="RPNHead",
        in_channels=channels,
        feat_channels=512,
        anchor_generator=dict(type="AnchorGenerator", scales=[8, 16, 32], ratios=[0.5, 1.0, 2.0], strides=[stride]),
        bbox_coder=dict(**bbox_coder, target_stds=[1.0] * 4),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9.0, loss_weight=1.0),
    ),
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
            out_channels=channels,
            featmap_strides=[stride],
        ),
        bbox_head=dict(
            type="Shared2FCBBoxHead",
            in_channels=channels,
            fc_out_channels=4096,
            roi_feat_size=7,
            num_classes="@num_parts_and_objects",
            bbox_coder=dict(**bbox_coder, target_stds=[0.1, 0.1, 0.2, 0.2]),
            reg_class_agnostic=False,
            loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0),
            loss_bbox=dict(type="SmoothL1Loss", beta=1.0, loss_weight=1.0),
        ),
    ),
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
        rpn_proposal=dict(nms_pre=12000, max_per_img=2000, nms=proposal_nms, min_bbox_size=0),
        rcnn=dict(
            assigner=dict(
                type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5, match_low_quality=False
            ),
            sampler=dict(type="RandomSampler", num=128, pos_fraction=0.25, add_gt_as_proposals=True),
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=6000, max_per_img=300, nms=proposal_nms, min_bbox_size=0),
        rcnn=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=300),
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.001, momentum=0.9, weight_decay=5e-4),
    # One image a step: a single odd frame must not undo what was learned.
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=max_epochs, milestones=[3], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=1)

meta_keys = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
meta_keys += ("video", "frame_index")
image_scale = (1000, 600)
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
dataset = dict(type="TPSPartObjectDataset", data_root="@data_root", taxonomy="@taxonomy", frame_step=5)
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", skip_empty=True, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(type="PartObjectAPMetric", taxonomy="@taxonomy")
test_cfg = dict()
