"""SCU: the action from part states, their meaning to BERT, and an LSTM over the parts of each person.

Source: Kinetics-TPS Track on Part-level Action Parsing and Action Recognition (SCU, ECCV DeeperAction 2022),
section 2.3: vectors of part, verb and object by BERT-base uncased (3 x 768), equation 9, and HAG's sequential model.
25.19 on the test set for the whole system in the report; none for this network alone.

    python tools/train.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps.py
    python tools/test.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps.py CHECKPOINT

Data: part states and features that the SCU system's earlier networks have saved for every video, and the language
vectors of the data set's names, which are made when there are none: `make language`, and the network for BERT.
Hardware: the report's one RTX 3090. Widths, pooling, dropout, LayerNorm, centred vectors and the learning settings are
this package's, the last those of the DAP fusion: the report names none.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

model = dict(
    type="PartSequenceClassifier",
    num_actions="@num_actions",
    num_parts="@num_parts",
    num_states="@num_states",
    num_objects="@num_objects",
    taxonomy="@taxonomy",
    visual_channels=512,
    language=dict(
        file="@data_root/language/bert-base-uncased.safetensors",
        model="google-bert/bert-base-uncased",
        channels=768,
    ),
    part_channels=512,
    sequence="lstm",
    hidden_channels=512,
    pool="max",
    dropout=0.5,
    normalize=True,
    centre=True,
    data_preprocessor=dict(type="tpsparse.FeaturePreprocessor"),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=30)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.05))
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, begin=0, end=30, T_max=30, eta_min=0)]
auto_scale_lr = dict(base_batch_size=32)

parses_dir = "work_dirs/scu/parses"
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
    dataset=dict(**dataset, split="@train_split", parses="@parses_dir/scu/train", random=True, pipeline=train_pipeline),
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
