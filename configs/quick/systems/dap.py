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

model = dict(
    stages=[
        dict(type="DetectPersons", config=f"{quick}/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"),
        dict(type="ParseParts", config=f"{quick}/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"),
        dict(
            type="ClassifyVideo",
            name="timesformer",
            config=f"{quick}/action_recognition/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py",
        ),
        dict(
            type="ClassifyVideo",
            name="swin",
            config=f"{quick}/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb.py",
        ),
        dict(
            type="FuseFeatures",
            config=f"{quick}/feature_fusion/dap_mlp_1xb16_synthetic.py",
            frames=dict(type="EvenFrames", num=8),
            # The report draws its frames at random in training: more are saved than one sample takes.
            train_frames=dict(type="EvenFrames", num=12),
        ),
        dict(type="EnsembleActions", weights=dict(frame=1, instance=1, timesformer=1, swin=1, fusion=1)),
    ],
)
