"""ISBA: frame labels from lists of clusters whose boundaries are assigned anew each round, at quick size.

    python tools/train.py configs/quick/temporal_parsing/isba_k64_synthetic.py

Data: quick features of the synthetic sports, see configs/quick/frame_features. Hardware: one CPU core, a minute.
"""

_base_ = ["../_base_/quick_tapos.py"]

title = "ISBA"
max_epochs = 20
assignment_epochs = 1

model = dict(
    type="ISBA",
    channels=256,
    num_groups=64,
    widths=(48, 64),
    kernel_size=9,
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
custom_hooks = [
    *_base_.custom_hooks,
    dict(type="FitHook"),
    dict(type="AssignmentHook", interval=assignment_epochs),
]
