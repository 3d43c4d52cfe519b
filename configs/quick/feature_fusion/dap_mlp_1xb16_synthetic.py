"""DAP feature fusion at a size that trains on two cores: six features of the quick networks.

    python tools/train.py configs/quick/feature_fusion/dap_mlp_1xb16_synthetic.py

Data: features that the other quick networks have saved; tools/reproduce.py makes them. Hardware: one CPU core, seconds.
"""

_base_ = ["../_base_/quick.py"]

title = "feature fusion"
parses_dir = "work_dirs/demo/parses"
num_frames = 8
max_persons = 10
max_epochs = 30

model = dict(
    type="MultiModalFusion",
    num_actions="@num_actions",
    frame_features=dict(context=128),
    person_features=dict(instance_action=32, part=16, state=96),
    video_features=dict(timesformer=96, swin=192),
    mlp_channels=(64, 64),
    dropout=0.3,
    normalize=True,
)

train_pipeline = [dict(type="PackFeatures")]
test_pipeline = [dict(type="PackFeatures")]
dataset = dict(
    type="TPSFeatureDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    num_frames=num_frames,
    max_persons=max_persons,
)
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", parses="@parses_dir/train", random=True, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", parses="@parses_dir/test", pipeline=test_pipeline),
)
test_evaluator = dict(type="ActionAccuracy")

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
test_cfg = dict()
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.05))
param_scheduler = [dict(type="CosineAnnealingLR", convert_to_iter_based=True, eta_min=1e-5)]
