"""TSN of BN-Inception on the TV-L1 flow of five pairs of frames at eight even places of an instance.

Source: Shao et al., Intra- and Inter-Action Understanding via Temporal Action Parsing (TAPOS, 2020), tables 1 and 4
give RGB and flow together and not flow alone (row "uniform": top-1 91.01 %, mean of classes 88.15 % in the paper). The
schedule is TSN's own for flow (Wang et al., Temporal segment networks, 2016: 0.001 for 256 videos an iteration, divided
by 10 after 190 and 300 epochs, dropout 0.7, batch normalization kept but for the first); the ImageNet weights of the
first convolution are averaged over colours, as there.

    python tools/prepare_data.py flow data/tapos
    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-340e_tapos-5x1x8-flow.py 8
    python tools/test.py configs/action_recognition/tapos_tsn-bn-inception_8xb32-340e_tapos-5x1x8-flow.py CHECKPOINT

Data: TAPOS with its instances cut and labelled, and their flow. Hardware: 8 GPUs with 32 instances each.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "tsn, flow, even places"
num_clips = 8
clip_len = 5
flow = dict(short_side=256, bound=20, effort="full")

model = dict(
    type="FeatureRecognizer2D",
    # The mirror image of a value of flow is its difference from 255, so the middle is 127.5.
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5] * 2 * clip_len, std=[1] * 2 * clip_len, format_shape="NCHW"
    ),
    backbone=dict(
        type="tpsparse.BNInception",
        in_channels=2 * clip_len,
        pretrained="https://download.openmmlab.com/pretrain/third_party/bn_inception_caffe-ed2e8665.pth",
        partial_bn=True,
    ),
    cls_head=dict(
        type="TSNHead",
        num_classes="@num_actions",
        in_channels=1024,
        spatial_type="avg",
        consensus=dict(type="AvgConsensus", dim=1),
        dropout_ratio=0.7,
        init_std=0.001,
        average_clips="prob",
    ),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=340)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.001, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=20, norm_type=2),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=340, milestones=[190, 300], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=256)

# Where a data set gives segments, the clips are dealt to them.
train_pipeline = [
    dict(type="SampleAlongSegments", num_clips=num_clips, clip_len=clip_len),
    dict(type="DecodeFlow", **flow),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(
        type="mmaction.MultiScaleCrop",
        input_size=224,
        scales=(1, 0.875, 0.75),
        random_crop=False,
        max_wh_scale_gap=1,
    ),
    dict(type="mmaction.Resize", scale=(224, 224), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="FormatFlow"),
    dict(type="mmaction.PackActionInputs"),
]
test_pipeline = [
    dict(type="SampleAlongSegments", num_clips=num_clips, clip_len=clip_len, test_mode=True),
    dict(type="DecodeFlow", **flow, compute=True),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.CenterCrop", crop_size=224),
    dict(type="FormatFlow"),
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
