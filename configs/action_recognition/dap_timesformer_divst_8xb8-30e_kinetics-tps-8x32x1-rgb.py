"""DAP action recognition, first of two: TimeSformer with divided space-time attention, 8 frames 32 apart.

Source: Disentangled Action Parsing (2021), section 2.3 and table 2. Table 5: top-1 85.6 % (section 3.2 says that it is
TimeSformer's), on a random 30 % of the training videos (the split was not published).

    python tools/train.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py
    python tools/test.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: 8 GPUs with 8 clips each; the learning rate is for 64 clips an
iteration. The ViT-B/16 weights pretrained on ImageNet-21k are downloaded at the first run; weights pretrained on
Kinetics are against the rules of the challenge.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

clip_len = 8
frame_interval = 32
image_size = 224
channels = 768

model = dict(
    type="FeatureRecognizer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], format_shape="NCTHW"
    ),
    backbone=dict(
        type="TimeSformer",
        pretrained="https://download.openmmlab.com/mmaction/recognition/timesformer/vit_base_patch16_224.pth",
        num_frames=clip_len,
        img_size=image_size,
        patch_size=16,
        embed_dims=channels,
        in_channels=3,
        dropout_ratio=0.0,
        transformer_layers=None,
        attention_type="divided_space_time",
        norm_cfg=dict(type="LN", eps=1e-6),
    ),
    cls_head=dict(type="TimeSformerHead", num_classes="@num_actions", in_channels=channels, average_clips="prob"),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=30)
# Decay is mmaction2's AdamW recipe for Swin; the report names none. The recipe's tenth of the rate for the backbone
# (lr_mult=0.1) is not taken over: the report has one rate.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, betas=(0.9, 0.999), weight_decay=0.05),
    constructor="mmaction.SwinOptimWrapperConstructor",
    paramwise_cfg=dict(
        cls_token=dict(decay_mult=0.0),
        pos_embed=dict(decay_mult=0.0),
        time_embed=dict(decay_mult=0.0),
        norm=dict(decay_mult=0.0),
    ),
    clip_grad=dict(max_norm=40, norm_type=2),
)
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, begin=0, end=30, T_max=30, eta_min=0)]
auto_scale_lr = dict(base_batch_size=64)

train_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=frame_interval),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(-1, 256)),
    dict(type="mmaction.RandomResizedCrop"),
    dict(type="mmaction.Resize", scale=(image_size, image_size), keep_ratio=False),
    dict(type="mmaction.Flip", flip_ratio=0.5),
    dict(type="mmaction.FormatShape", input_format="NCTHW"),
    dict(type="mmaction.PackActionInputs"),
]
test_pipeline = [
    dict(type="mmaction.SampleFrames", clip_len=clip_len, frame_interval=frame_interval, test_mode=True),
    dict(type="DecodeFrames"),
    dict(type="mmaction.Resize", scale=(-1, image_size)),
    dict(type="mmaction.ThreeCrop", crop_size=image_size),
    dict(type="mmaction.FormatShape", input_format="NCTHW"),
    dict(type="mmaction.PackActionInputs"),
]
dataset = dict(type="TPSClipDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=8,
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
