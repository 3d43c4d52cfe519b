"""PCF action recognition by motion: TSN of ResNet-50 on the TV-L1 flow of five pairs of frames, at three places.

Source: Chen et al., Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework (PCF, 2022), table I: top-1
83.48 % on the test set of Kinetics-TPS. The report says of its training no more than weight decay and momentum: the
rest is mmaction2's recipe for Kinetics-400, tsn_imagenet-pretrained-r50_8xb32_5x1x3-110e_kinetics400-flow. As there,
the first convolution, whose ten channels ImageNet does not have, starts at random.

    bash tools/dist_train.sh configs/action_recognition/pcf_tsn-r50_8xb32-110e_kinetics-tps-5x1x3-flow.py 8
    python tools/test.py configs/action_recognition/pcf_tsn-r50_8xb32-110e_kinetics-tps-5x1x3-flow.py CHECKPOINT

Data: Kinetics-TPS in the official layout, and its flow: python tools/prepare_data.py flow data/kinetics_tps. Hardware:
8 GPUs with 32 videos each; the learning rate is for 256 videos an iteration. The ImageNet weights are downloaded at the
first run.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

clip_len = 5
flow = dict(short_side=256, bound=20, effort="full")

model = dict(
    type="FeatureRecognizer2D",
    # mmaction2's recipe has a mean of 128; the mirror image of a value is its difference from 255, about 127.5.
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5] * 2 * clip_len, std=[128] * 2 * clip_len, format_shape="NCHW"
    ),
    backbone=dict(
        type="ResNet",
        pretrained="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        depth=50,
        in_channels=2 * clip_len,
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

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=110)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.005, momentum=0.9, nesterov=True, weight_decay=1e-4),
    clip_grad=dict(max_norm=40, norm_type=2),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=110, milestones=[70, 100], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=256)

train_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=1, num_clips=3),
    dict(type="DecodeFlow", **flow),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.RandomResizedCrop"),
    dict(type="mmaction.Resize", scale=(224, 224), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="FormatFlow"),
    dict(type="mmaction.PackActionInputs"),
]
# The report names seven clips and a short side of 256 in the test, and no crops.
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=1, num_clips=7, test_mode=True),
    dict(type="DecodeFlow", **flow, compute=True),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.CenterCrop", crop_size=256),
    dict(type="FormatFlow"),
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
