"""PCF pose estimation at a size that trains on two cores: the classes of the full config, narrow, on small crops.

    python tools/train.py configs/quick/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py

Data: the synthetic data set of `make demo`, which has the keypoints of its people. Hardware: two CPU cores, some two
minutes.
"""

_base_ = ["../_base_/quick.py"]

title = "pose estimation"
# Three sigmas must be whole cells: mmpose cuts its Gaussians there and would else move those at the left and top edges.
codec = dict(type="mmpose.MSRAHeatmap", input_size=(96, 128), heatmap_size=(24, 32), sigma=4 / 3)
channels = 16
max_epochs = 6

model = dict(
    type="BatchPoseEstimator",
    data_preprocessor=dict(
        type="mmpose.PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
    ),
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
    head=dict(
        type="mmpose.HeatmapHead",
        in_channels=channels,
        out_channels=17,
        deconv_out_channels=None,
        loss=dict(type="mmpose.KeypointMSELoss", use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=True),
)

train_pipeline = [
    dict(type="mmpose.GetBBoxCenterScale"),
    dict(type="mmpose.RandomFlip", direction="horizontal"),
    dict(type="mmpose.RandomBBoxTransform", rotate_prob=0.0),
    dict(type="mmpose.TopdownAffine", input_size=codec["input_size"]),
    dict(type="mmpose.GenerateTarget", encoder=codec),
    dict(type="mmpose.PackPoseInputs"),
]
test_pipeline = [
    dict(type="mmpose.GetBBoxCenterScale"),
    dict(type="mmpose.TopdownAffine", input_size=codec["input_size"]),
    dict(type="mmpose.PackPoseInputs"),
]
dataset = dict(
    type="TPSPoseDataset", data_root="@data_root", taxonomy="@taxonomy", keypoints="@data_root/keypoints", frame_step=5
)
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
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
# The share of keypoints within a twentieth of the box's longer side.
test_evaluator = dict(type="mmpose.PCKAccuracy", thr=0.05, prefix="pose")

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5),
]
