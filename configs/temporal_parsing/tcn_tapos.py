"""TCN: a boundary at every frame whose score, of two temporal convolutions, is above 0.5.

Source: TAPOS (CVPR 2020), section 6.2, after Lea et al. (CVPR 2017) and BSN (ECCV 2018); table 2: average F1 33.03
relative, 34.83 absolute in the paper.

    python tools/train.py configs/temporal_parsing/tcn_tapos.py
    python tools/test.py configs/temporal_parsing/tcn_tapos.py CHECKPOINT

Data: frame features of TAPOS, see configs/frame_features. Hardware: one GPU, or a few CPU cores.
The learning settings are this package's; its class says what else the paper leaves open.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "TCN"
max_epochs = 30

model = dict(
    type="BoundaryTCN",
    channels=1024,
    hidden_channels=512,
    kernel_size=3,
    neighbours=5,
    threshold=0.5,
)

train_pipeline = [dict(type="PackInstance")]
test_pipeline = [dict(type="PackInstance")]
dataset = dict(
    type="TAPOSFeatureDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    features="@data_root/features/bn-inception_tsn",
)
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-3),
    clip_grad=dict(max_norm=5.0),
)
param_scheduler = [dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5)]
