"""DAP at a size that trains and tests on two cores.

    python tools/reproduce.py configs/quick/systems/dap.py
    python tools/parse_video.py configs/quick/systems/dap.py VIDEO --out DIR

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py"]

title = "system"
work_dir = "work_dirs/demo"
floor = "{{ fileDirname }}/most_frequent.py"
quick = "{{ fileDirname }}/.."

fusion = dict(
    type="FuseFeatures",
    frames=dict(type="EvenFrames", num=8),
    # The report draws its frames at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=12),
)
# Named, since the rows of the report's tables are made of the same stages: see the children of this config.
stages = dict(
    persons=dict(type="DetectPersons", config=f"{quick}/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"),
    parts=dict(type="ParseParts", config=f"{quick}/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"),
    timesformer=dict(
        type="ClassifyVideo",
        name="timesformer",
        config=f"{quick}/action_recognition/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py",
    ),
    swin=dict(
        type="ClassifyVideo", name="swin", config=f"{quick}/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb.py"
    ),
    fusion=dict(fusion, config=f"{quick}/feature_fusion/dap_mlp_1xb16_synthetic.py"),
    mlp_frame=dict(fusion, name="mlp_frame", config=f"{quick}/feature_fusion/dap_mlp-frame_1xb16_synthetic.py"),
    mlp_instance=dict(
        fusion, name="mlp_instance", config=f"{quick}/feature_fusion/dap_mlp-instance_1xb16_synthetic.py"
    ),
)
model = dict(
    stages=[
        *(stages[name] for name in ("persons", "parts", "timesformer", "swin", "fusion")),
        dict(type="EnsembleActions", weights=dict(frame=1, instance=1, timesformer=1, swin=1, fusion=1)),
    ],
)
