"""Keypoints for a pose network to learn from: those that MediaPipe finds of a data set's annotated persons.

    make annotate
    python tools/test.py configs/pose_estimation/keypoints_mediapipe.py --cfg-options data_root=ROOT test_split=train

Data: footage of real people with annotated persons. ROOT/keypoints then holds a record of each video of the split.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py"]

model = dict(
    stages=[
        dict(type="ReadAnnotation", data_root="@data_root", split="@test_split", gives=["boxes"]),
        dict(type="EstimatePoseMediaPipe"),
    ],
    frames=dict(type="EveryFrame"),
    save_dir="@data_root/keypoints",
)
test_evaluator = dict(_delete_=True, type="ParseCount")
