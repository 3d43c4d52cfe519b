"""SCU part states at a size that trains on one core: the classes of the full config, narrow, on small frames.

    python tools/train.py configs/quick/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256.py
    python tools/test.py configs/quick/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256.py

Data: the synthetic data set of `make demo`. Hardware: one CPU core, some four minutes. Training starts from the
backbone of the detector of parts and objects.
"""

_base_ = ["../_base_/quick.py"]

title = "part states"
start_from = "{{ fileDirname }}/../part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py"
max_epochs = 2
base_channels = 12  # the detector's
stride = 16
# About twice the frame, as the detector sees it: hands are nine pixels wide, and a cell of the map sixteen.
scale = (288, 288)
crop = (256, 256)

model = dict(
    type="PartStateNet",
    data_preprocessor=dict(type="ImgDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(type="VGG", depth=11, base_channels=base_channels, norm_cfg=dict(type="BN"), norm_eval=False),
    embedding=dict(
        # One sample a bin: with two, RoIAlign's backward takes long on a CPU.
        roi_extractor=dict(
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
            featmap_strides=[stride],
        ),
        in_channels=8 * base_channels,
        fc_channels=(256,),
        out_channels=64,
        dropout=0.1,
    ),
    labels=dict(num_parts="@num_parts", num_states="@num_states", num_objects="@num_objects"),
    relevance=dict(channels=64, loss_weight=1.0),
    state=dict(positive_weight=2.0, loss_weight=1.0),
    objects=dict(reach=1.2),
)

train_pipeline = [
    dict(type="ScaleFrame", size=scale),
    dict(type="CropFrame", size=crop, min_visible=0.5),
    dict(type="FlipFrame"),
    dict(type="JitterColor"),
    dict(type="PackFrameParts"),
]
test_pipeline = [dict(type="ScaleFrame", size=scale), dict(type="PackFrameParts")]
dataset = dict(
    type="TPSFramePartsDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    relevance=dict(split="@train_split", min_lift=1.2, plain_states=["none"]),
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", frame_step=3, max_persons=4, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="MultiLabelStateAP")

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01), clip_grad=dict(max_norm=10)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=2e-5),
]
