"""DAP: Disentangled Action Parsing, third in the Kinetics-TPS challenge of 2021 with a score of 60.5 (the report's).

    python tools/reproduce.py configs/systems/dap.py --cfg-options data_root=data/kinetics_tps
    python tools/test.py configs/systems/dap.py --work-dir work_dirs/dap

Source: Disentangled Action Parsing (2021). Data: Kinetics-TPS in the official layout. Hardware of the report: 8 V100.
On several GPUs train each network with tools/dist_train.sh into work_dirs/dap/<name of its config>, then test.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py"]

title = "DAP"
floor = "{{ fileDirname }}/most_frequent.py"
configs = "{{ fileDirname }}/.."

fusion = dict(
    type="FuseFeatures",
    frames=dict(type="EvenFrames", num=32),
    # The report draws its frames at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=96),
)
# Named, since the rows of the report's tables are made of the same stages: see the children of this config.
stages = dict(
    persons=dict(
        type="DetectPersons", config=f"{configs}/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"
    ),
    parts=dict(
        type="ParseParts", config=f"{configs}/part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"
    ),
    timesformer=dict(
        type="ClassifyVideo",
        name="timesformer",
        config=f"{configs}/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py",
    ),
    swin=dict(
        type="ClassifyVideo",
        name="swin",
        config=f"{configs}/action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py",
    ),
    fusion=dict(fusion, config=f"{configs}/feature_fusion/dap_mlp_8xb32-30e_kinetics-tps.py"),
    mlp_frame=dict(
        fusion, name="mlp_frame", config=f"{configs}/feature_fusion/dap_mlp-frame_8xb32-30e_kinetics-tps.py"
    ),
    mlp_instance=dict(
        fusion, name="mlp_instance", config=f"{configs}/feature_fusion/dap_mlp-instance_8xb32-30e_kinetics-tps.py"
    ),
)
model = dict(
    stages=[
        *(stages[name] for name in ("persons", "parts", "timesformer", "swin", "fusion")),
        # The report ensembles "multiple predicted results" and does not give its weights.
        dict(type="EnsembleActions", weights=dict(frame=1, instance=1, timesformer=1, swin=1, fusion=1)),
    ],
)
