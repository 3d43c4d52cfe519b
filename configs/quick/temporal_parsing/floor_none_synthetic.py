"""A floor of temporal parsing: every instance is one sub-action, at quick size.

    python tools/train.py configs/quick/temporal_parsing/floor_none_synthetic.py

Data: quick features of the synthetic sports, see configs/quick/frame_features. Hardware: one CPU core, seconds.
"""

_base_ = ["../_base_/quick_tapos.py"]

title = "no boundary"
max_epochs = 1

model = dict(type="NoBoundary")

train_pipeline = [dict(type="PackInstance")]
test_pipeline = [dict(type="PackInstance")]
dataset = dict(
    type="TAPOSFeatureDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    features="@data_root/features/bn-inception-x4_tsn",
)
train_dataloader = dict(
    batch_size=1,
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

train_cfg = dict(type="FitLoop")
test_cfg = dict()
# Nothing has a gradient: no optimizer, and no wrapper for several processes, which would ask for one.
optim_wrapper = dict()
param_scheduler = []
model_wrapper_cfg = dict(type="tpsparse.Unwrapped")
