"""The stages that PCF (2022) and the 2021 runner-up are made of, at quick size, each named once for all systems."""

quick = "{{ fileDirname }}/.."
groups = ("head", "arm", "hand", "hip", "leg", "foot")
action_recognizers = dict(
    tsn_rgb="pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb",
    tsn_flow="pcf_tsn-r18_1xb8_synthetic-5x1x3-flow",
    csn_ip="pcf_csn-ip-50_1xb8_synthetic-8x4x1-rgb",
    csn_ir="runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb",
    csn_ip_bn="runner_up_csn-ip-50_1xb8_synthetic-8x4x1-rgb_bn",
)
state_recognizers = dict(
    rgb_3s="pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb_3s",
    flow_3s="pcf_tsn-r18_1xb8_synthetic-5x1x3-flow_3s",
    ip_3s="pcf_csn-ip-50_1xb8_synthetic-8x4x1-rgb_3s",
    # Quick videos are shorter than 10 s.
    ip_10s="runner_up_csn-ip-50_1xb8_synthetic-8x4x1-rgb_video",
    ip_video="runner_up_csn-ip-50_1xb8_synthetic-8x4x1-rgb_video",
    ir_video="runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_video",
)
# A clip of 8 frames, every fourth of them, about every second frame of the video: the report's table III leaves open
# what prediction by frames is; at 15 frames a second, 22 clips in 3 s to the 7 of a segment is its ratio of cost.
by_frame = dict(
    segments=dict(type="FrameSegments", step=2, frames=32),
    options={"test_pipeline.0.num_clips": 1},
)

stages = dict(
    persons=dict(type="DetectPersons", config=f"{quick}/person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py"),
    pose=dict(
        type="EstimatePose",
        config=f"{quick}/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py",
    ),
    mediapipe=dict(type="EstimatePoseMediaPipe"),
    grow=dict(type="GrowBoxes"),
    parts=dict(type="DetectParts", config=f"{quick}/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96.py"),
    parts_no_pose=dict(
        type="DetectParts", config=f"{quick}/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96_no-pose.py"
    ),
    **{
        name: dict(type="ClassifyVideo", name=name, config=f"{quick}/action_recognition/{config}.py")
        for name, config in action_recognizers.items()
    },
    # Weights of the 2021 runner-up's report, table 3.
    two_csn=dict(type="EnsembleActions", weights=dict(csn_ip=7.0, csn_ir=1.0)),
    # Six recognizers of one config, one a part group.
    **{
        name: [
            dict(
                type="ClassifySegments",
                name=f"{name}_{group}",
                config=f"{quick}/state_recognition/{config}.py",
                train_options=dict(group=group),
            )
            for group in groups
        ]
        for name, config in state_recognizers.items()
    },
    # A state counts only where the action is right, so only labels of the predicted action compete.
    **{
        f"{name}_states": dict(
            type="EnsembleStates",
            within_action=True,
            weights={group: {f"{name}_{group}": 1.0} for group in groups},
        )
        for name in state_recognizers
    },
    # Weights of the 2021 runner-up's report, table 2, which trained ir-CSN for the arm as well and gave it none.
    two_csn_states=dict(
        type="EnsembleStates",
        within_action=True,
        weights=dict(
            head=dict(ip_video_head=1.413, ir_video_head=1.0),
            hand=dict(ip_video_hand=1.314, ir_video_hand=1.0),
            arm=dict(ip_video_arm=1.0, ir_video_arm=0.0),
            hip=dict(ip_video_hip=1.906, ir_video_hip=1.0),
            leg=dict(ip_video_leg=3.515, ir_video_leg=1.0),
            foot=dict(ip_video_foot=1.576, ir_video_foot=1.0),
        ),
    ),
    most_frequent=dict(type="MostFrequentStates", data_root="@data_root", split="@train_split"),
    annotation=dict(type="ReadAnnotation", data_root="@data_root", split="@test_split", gives=["boxes", "part_boxes"]),
)
stages["ip_frame"] = [dict(stage, **by_frame) for stage in stages["ip_3s"]]
