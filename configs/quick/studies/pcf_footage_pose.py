"""As pcf_footage.py, with the keypoints of a pose network of our own, which has learnt from MediaPipe's.

    python tools/test.py configs/pose_estimation/keypoints_mediapipe.py --cfg-options data_root=DATA test_split=train
    python tools/test.py configs/pose_estimation/keypoints_mediapipe.py --cfg-options data_root=DATA test_split=test
    python tools/study.py configs/quick/studies/pcf_footage_pose.py --cfg-options data_root=DATA

Data, hardware, results: as there.
"""

_base_ = "pcf_footage.py"

title = "PCF on footage, with a pose network that has learnt MediaPipe's keypoints"
work_dir = "work_dirs/footage_pose"  # its own: the part detector learns from other keypoints
given_weights = dict(_delete_=True)  # the pose network learns here
by_task = dict(pose_estimation={"train_dataloader.dataset.frame_step": 1, "train_cfg.max_epochs": 90})
rows = dict(_delete_=True, pose=dict(name="predicted keypoints painted", config="systems/pcf_parts-pose.py"))
columns = {"pose/PCK": "keypoints in place", **_base_.columns}
