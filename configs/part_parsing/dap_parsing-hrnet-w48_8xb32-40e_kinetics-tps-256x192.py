"""DAP part parsing: Parsing-HRNet, HRNet-W48 with a part and a state module on crops of 256 x 192.

Source: Disentangled Action Parsing (2021), section 2.2 and table 2. Table 4: Acc^p 53.2 on a random 30 % of the
training videos (the split was not published), with TimeSformer's actions.

    python tools/train.py configs/part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py
    python tools/test.py configs/part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: 8 GPUs with 32 crops each; the learning rate is for 256 crops an
iteration. Weights pretrained on COCO are downloaded at the first run.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

codec = dict(type="PartMaskCodec", input_size=(256, 192), heatmap_size=(64, 48))
channels = 48

model = dict(
    type="ParsingHRNet",
    data_preprocessor=dict(type="ImgDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type="mmpose.HRNet",
        in_channels=3,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(4,), num_channels=(64,)),
            stage2=dict(
                num_modules=1,
                num_branches=2,
                block="BASIC",
                num_blocks=(4,) * 2,
                num_channels=(channels, 2 * channels),
            ),
            stage3=dict(
                num_modules=4,
                num_branches=3,
                block="BASIC",
                num_blocks=(4,) * 3,
                num_channels=(channels, 2 * channels, 4 * channels),
            ),
            stage4=dict(
                num_modules=3,
                num_branches=4,
                block="BASIC",
                num_blocks=(4,) * 4,
                num_channels=(channels, 2 * channels, 4 * channels, 8 * channels),
            ),
        ),
        # COCO keypoints, which the challenge allows.
        init_cfg=dict(
            type="Pretrained",
            prefix="backbone.",
            checkpoint="https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/"
            "td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth",
        ),
    ),
    part_head=dict(type="PartParsingModule", in_channels=channels, num_parts="@num_parts"),
    state_head=dict(
        type="StateParsingModule",
        in_channels=channels,
        num_parts="@num_parts",
        num_states="@num_states",
        state_channels=192,
        gamma=2.0,
    ),
    codec=codec,
    # Equation 2. The report does not say over what its squared error is averaged; here it is over all cells, which
    # makes it small beside the state loss. The quick config raises this weight, see docs/results.md.
    part_weight=1.0,
    state_weight=0.5,
    test_cfg=dict(flip_test=True),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=40)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = [
    # The warm-up is that of mmpose's HRNet recipes; the report names none.
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=40, milestones=[30, 35], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=256)

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
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", frame_step=5, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", frame_step=5, pipeline=test_pipeline),
)
test_evaluator = dict(type="PartParsingMetric")
test_cfg = dict()
