"""DAP action parsing: fusion of six features of 32 frames, their persons and the video.

Source: Disentangled Action Parsing (2021), section 2.3 and table 2. Table 5, on a random 30 % of the training videos
(the split was not published): top-1 73.0 % with frame level features, 74.2 % with instance level ones, 85.6 % with
TimeSformer, 87.0 % with Video Swin, 93.2 % as an ensemble of all predictions; none for this network alone.

    python tools/train.py configs/feature_fusion/dap_mlp_8xb32-30e_kinetics-tps.py
    python tools/test.py configs/feature_fusion/dap_mlp_8xb32-30e_kinetics-tps.py CHECKPOINT

Data: features that the trained networks of the DAP system have saved for every video. Hardware: 8 GPUs with 32 videos
each, though one suffices; the learning rate is for 256 videos an iteration.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

model = dict(
    type="MultiModalFusion",
    num_actions="@num_actions",
    frame_features=dict(context=2048),
    person_features=dict(instance_action=256, part=48, state=192),
    video_features=dict(timesformer=768, swin=1024),
    mlp_channels=(512, 256),
    dropout=0.5,
    data_preprocessor=dict(type="tpsparse.FeaturePreprocessor"),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=30)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.05))
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, begin=0, end=30, T_max=30, eta_min=0)]
auto_scale_lr = dict(base_batch_size=256)

parses_dir = "work_dirs/dap/parses"
num_frames = 32
max_persons = 10
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
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", parses="@parses_dir/train", random=True, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", parses="@parses_dir/test", pipeline=test_pipeline),
)
test_evaluator = dict(type="ActionAccuracy")
test_cfg = dict()
