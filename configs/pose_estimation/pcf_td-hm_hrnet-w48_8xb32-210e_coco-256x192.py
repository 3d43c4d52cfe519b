"""PCF pose estimation: top-down heatmaps by HRNet-W48 on crops of 256 x 192, COCO's 17 keypoints.

Source: Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework (2022), section III-A: HRNet-w48
pre-trained on COCO, "without any fine-tuning". The network is mmpose's td-hm_hrnet-w48_8xb32-210e_coco-256x192, and
systems use the weights at `load_from` as they are; the model zoo tells 75.6 AP on COCO val2017 for them.

Training goes on from these weights by the same recipe, for those who have keypoints of their own, as saved parses in
`keypoints/` of the data set.

    python tools/train.py configs/pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py
    python tools/test.py configs/pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py CHECKPOINT

Data: Kinetics-TPS in the official layout, with keypoints, which it does not come with. Hardware: 8 GPUs with 32 crops
each; the learning rate is mmpose's, for these 256 crops an iteration.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

codec = dict(type="mmpose.MSRAHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
channels = 48
load_from = (
    "https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/"
    "td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth"
)

model = dict(
    type="BatchPoseEstimator",
    # Our pictures are RGB already.
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

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=210)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=5e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=210, milestones=[170, 200], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=256)

train_pipeline = [
    dict(type="mmpose.GetBBoxCenterScale"),
    dict(type="mmpose.RandomFlip", direction="horizontal"),
    dict(type="mmpose.RandomHalfBody"),
    dict(type="mmpose.RandomBBoxTransform"),
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
    type="TPSPoseDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    keypoints="@data_root/keypoints",
    frame_step=5,
)
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
# The share of keypoints within a twentieth of the box's longer side.
test_evaluator = dict(type="mmpose.PCKAccuracy", thr=0.05, prefix="pose")
test_cfg = dict()
