"""The stages that DAP (2021) is made of, at quick size, each named once for all systems."""

quick = "{{ fileDirname }}/.."

fusion = dict(
    type="FuseFeatures",
    frames=dict(type="EvenFrames", num=8),
    # The report draws its frames at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=12),
)
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
