"""The stages that DAP (2021) is made of, at full size, each named once for all systems."""

configs = "{{ fileDirname }}/.."

fusion = dict(
    type="FuseFeatures",
    frames=dict(type="EvenFrames", num=32),
    # The report draws its frames at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=96),
)
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
