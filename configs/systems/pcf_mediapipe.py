"""PCF with MediaPipe as its pose stage, whose weights come with its package (`make annotate`).

    python tools/reproduce.py configs/systems/pcf_mediapipe.py
    python tools/parse_video.py configs/systems/pcf_mediapipe.py VIDEO --out DIR

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

work_dir = "work_dirs/pcf_mediapipe"  # its own: the part detector learns from other keypoints than PCF's
out_dir = "@work_dir"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.mediapipe,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.csn_ip,
        dict(type="EnsembleActions", weights=dict(csn_ip=1)),
        _base_.stages.ip_3s,
        _base_.stages.ip_3s_states,
    ],
)
