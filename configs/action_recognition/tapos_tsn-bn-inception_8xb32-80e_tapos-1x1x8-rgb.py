"""TSN of BN-Inception on eight even frames of an instance, the measure of what parsing gives to recognition.

Source: Shao et al., Intra- and Inter-Action Understanding via Temporal Action Parsing (TAPOS, 2020), tables 1 and 4,
row "uniform", RGB: top-1 83.97 %, mean of classes 82.22 % in the paper, which says of the network no more than that it
is TSN. The schedule is TSN's own (Wang et al., Temporal segment networks, 2016: 0.001 for 256 videos an iteration,
divided by 10 twice, dropout 0.8, batch normalization kept but for the first), in epochs of TAPOS about as long as
there, with mmaction2's crops. Eight frames, in training and testing, since most instances have fewer sub-actions.

    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py 8
    python tools/test.py configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py CHECKPOINT

Data: TAPOS with its instances cut and labelled. Hardware: 8 GPUs with 32 instances each. The ImageNet weights are
downloaded at the first run.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "tsn, even frames"
num_clips = 8

model = dict(
    type="FeatureRecognizer2D",
    # Frames are RGB, and to_rgb swaps the first and the last channel: the weights are Caffe's, of BGR.
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[104, 117, 128], std=[1, 1, 1], to_rgb=True, format_shape="NCHW"
    ),
    backbone=dict(
        type="tpsparse.BNInception",
        pretrained="https://download.openmmlab.com/pretrain/third_party/bn_inception_caffe-ed2e8665.pth",
        partial_bn=True,
    ),
    cls_head=dict(
        type="TSNHead",
        num_classes="@num_actions",
        in_channels=1024,
        spatial_type="avg",
        consensus=dict(type="AvgConsensus", dim=1),
        dropout_ratio=0.8,
        init_std=0.001,
        average_clips="prob",
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=80)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.001, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=20, norm_type=2),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=80, milestones=[30, 60], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=256)

# Where a data set gives segments, the frames are dealt to them.
train_pipeline = [
    dict(type="SampleAlongSegments", num_clips=num_clips),
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
test_pipeline = [
    dict(type="SampleAlongSegments", num_clips=num_clips, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.CenterCrop", crop_size=224),
    dict(type="mmaction.FormatShape", input_format="NCHW"),
    dict(type="mmaction.PackActionInputs"),
]
dataset = dict(type="TAPOSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(
    type="mmaction.AccMetric",
    metric_list=("top_k_accuracy", "mean_class_accuracy"),
    metric_options=dict(top_k_accuracy=dict(topk=(1, 5))),
)
test_cfg = dict()
