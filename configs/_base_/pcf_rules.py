"""What PCF (2022) and the 2021 runner-up are made of at any size: stages without a network, and weights of ensembles.

Each file ``pcf_stages.py`` adds the networks of its size to ``stages``.
"""

groups = ("head", "arm", "hand", "hip", "leg", "foot")

stages = dict(
    mediapipe=dict(type="EstimatePoseMediaPipe"),
    grow=dict(type="GrowBoxes"),
    # Weights of the 2021 runner-up's report, table 3.
    two_csn=dict(type="EnsembleActions", weights=dict(csn_ip=7.0, csn_ir=1.0)),
    # A state counts only where the action is right, so only labels of the predicted action compete.
    **{
        f"{name}_states": dict(
            type="EnsembleStates",
            within_action=True,
            weights={group: {f"{name}_{group}": 1.0} for group in groups},
        )
        for name in ("rgb_3s", "flow_3s", "ip_3s", "ip_10s", "ip_video", "ir_video")
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
