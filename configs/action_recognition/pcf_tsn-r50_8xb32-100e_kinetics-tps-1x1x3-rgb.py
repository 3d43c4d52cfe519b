"""PCF action recognition with the organisers' network: TSN of ResNet-50 on three frames of a video.

Source: Chen et al., Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework (PCF, 2022), table I: top-1
74.03 % on the test set of Kinetics-TPS. The report says of its training no more than weight decay and momentum: the
rest is mmaction2's recipe for Kinetics-400, tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e.

    bash tools/dist_train.sh configs/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py 8
    python tools/test.py configs/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: 8 GPUs with 32 videos each; the learning rate is for 256 videos an
iteration. The ImageNet weights are downloaded at the first run.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

model = dict(
    type="FeatureRecognizer2D",
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCHW",
    ),
    backbone=dict(
        type="ResNet",
        pretrained="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        depth=50,
        norm_eval=False,
    ),
    cls_head=dict(
        type="TSNHead",
        num_classes="@num_actions",
        in_channels=2048,
        spatial_type="avg",
        consensus=dict(type="AvgConsensus", dim=1),
        dropout_ratio=0.4,
        init_std=0.01,
        average_clips="prob",
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=100)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4),
    clip_grad=dict(max_norm=40, norm_type=2),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=100, milestones=[40, 80], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=256)

train_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=1, frame_interval=1, num_clips=3),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(
        type="mmaction.MultiScaleCrop",
        input_size=224,
        scales=(1, 0.875, 0.75, 0.66),
        random_crop=False,
        max_wh_scale_gap=1,
    ),
    dict(type="mmaction.Resize", scale=(224, 224), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="mmaction.FormatShape", input_format="NCHW"),
    dict(type="mmaction.PackActionInputs"),
]
# The report names seven clips and a short side of 256 in the test, and no crops.
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=1, frame_interval=1, num_clips=7, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.CenterCrop", crop_size=256),
    dict(type="mmaction.FormatShape", input_format="NCHW"),
    # What the state recognizers that are made of this config are measured by.
    dict(type="mmaction.PackActionInputs", meta_keys=("state_counts",)),
]
dataset = dict(type="TPSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(type="mmaction.AccMetric", metric_options=dict(top_k_accuracy=dict(topk=(1, 5))))
test_cfg = dict()
