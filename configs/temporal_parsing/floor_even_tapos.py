"""A floor of temporal parsing: the training instances' mean number of boundaries, evenly spaced.

Source: none; the paper has no floors.

    python tools/train.py configs/temporal_parsing/floor_even_tapos.py
    python tools/test.py configs/temporal_parsing/floor_even_tapos.py CHECKPOINT

Data: frame features of TAPOS, see configs/frame_features. Hardware: one CPU.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "even boundaries"
max_epochs = 1

model = dict(type="EvenBoundaries")

train_pipeline = [dict(type="PackInstance")]
test_pipeline = [dict(type="PackInstance")]
dataset = dict(
    type="TAPOSFeatureDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    features="@data_root/features/bn-inception_tsn",
)
train_dataloader = dict(
    batch_size=1,
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

train_cfg = dict(type="FitLoop")
test_cfg = dict()
# Nothing has a gradient: no optimizer, and no wrapper for several processes, which would ask for one.
optim_wrapper = dict()
param_scheduler = []
model_wrapper_cfg = dict(type="tpsparse.Unwrapped")
