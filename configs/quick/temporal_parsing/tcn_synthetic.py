"""TCN: a boundary at every frame whose score, of two temporal convolutions, is above 0.5, at quick size.

    python tools/train.py configs/quick/temporal_parsing/tcn_synthetic.py

Data: quick features of the synthetic sports, see configs/quick/frame_features. Hardware: one CPU core, a minute.
"""

_base_ = ["../_base_/quick_tapos.py"]

title = "TCN"
max_epochs = 20

model = dict(
    type="BoundaryTCN",
    channels=256,
    hidden_channels=128,
    kernel_size=3,
    neighbours=2,
    threshold=0.5,
)

train_pipeline = [dict(type="PackInstance")]
test_pipeline = [dict(type="PackInstance")]
dataset = dict(
    type="TAPOSFeatureDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    features="@data_root/features/bn-inception-x4_tsn",
)
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
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
