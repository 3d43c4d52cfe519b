"""k-means parsing: a boundary wherever the nearest of 64 clusters changes.

Source: TAPOS (CVPR 2020), section 6.2, table 2: average F1 33.02 relative, 28.81 absolute in the paper.

    python tools/train.py configs/temporal_parsing/kmeans_k64_tapos.py
    python tools/test.py configs/temporal_parsing/kmeans_k64_tapos.py CHECKPOINT

Data: frame features of TAPOS, see configs/frame_features. Hardware: one CPU.
Distance and the sample of frames that is clustered are this package's.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "k-means"
max_epochs = 1

model = dict(type="KMeansParser", channels=1024, num_groups=64)

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
