"""DAP part parsing at a size that trains on two cores: the classes of the full config, narrow, on small crops.

    python tools/train.py configs/quick/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some three minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "part parsing"
codec = dict(type="PartMaskCodec", input_size=(128, 96), heatmap_size=(32, 24))
channels = 16
max_epochs = 3

model = dict(
    type="ParsingHRNet",
    data_preprocessor=dict(type="ImgDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type="mmpose.HRNet",
        in_channels=3,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(1,), num_channels=(16,)),
            stage2=dict(
                num_modules=1, num_branches=2, block="BASIC", num_blocks=(1,) * 2, num_channels=(channels, 2 * channels)
            ),
            stage3=dict(
                num_modules=1,
                num_branches=3,
                block="BASIC",
                num_blocks=(1,) * 3,
                num_channels=(channels, 2 * channels, 4 * channels),
            ),
            stage4=dict(
                num_modules=1,
                num_branches=4,
                block="BASIC",
                num_blocks=(1,) * 4,
                num_channels=(channels, 2 * channels, 4 * channels, 8 * channels),
            ),
        ),
    ),
    part_head=dict(type="PartParsingModule", in_channels=channels, num_parts="@num_parts"),
    state_head=dict(
        type="StateParsingModule",
        in_channels=channels,
        num_parts="@num_parts",
        num_states="@num_states",
        state_channels=96,
        gamma=2.0,
    ),
    codec=codec,
    part_weight=100.0,  # in trials of 300 iterations 10 gave worse boxes and states, see docs/results.md
    state_weight=0.5,
)

train_pipeline = [
    dict(type="JitterBox"),
    dict(type="CropPerson", input_size=codec["input_size"]),
    dict(type="FlipPerson"),
    dict(type="JitterColor"),
    dict(type="PackPart"),
]
test_pipeline = [dict(type="CropPerson", input_size=codec["input_size"]), dict(type="PackPart")]
dataset = dict(type="TPSPartDataset", data_root="@data_root", taxonomy="@taxonomy")
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PartParsingMetric")

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5),
]
