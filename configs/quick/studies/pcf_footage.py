"""Part detection with and without painted keypoints on footage of real people, MediaPipe being the pose stage.

    python tools/study.py configs/quick/studies/pcf_footage.py --cfg-options data_root=DATA

Data: some dozen short clips, as tools/annotate.py labels them; `make annotate` brings MediaPipe. Hardware: two cores.
Results: docs/results.md.
"""

_base_ = ["../_base_/pcf_study.py"]

title = "PCF on footage, with and without MediaPipe's keypoints"
configs = "{{ fileDirname }}/.."
data_root = "data/footage"
work_dir = "work_dirs/footage"
# A few hundred frames: each is trained on, and many times.
every_frame = {"train_dataloader.dataset.frame_step": 1, "train_cfg.max_epochs": 30}
by_task = dict(_delete_=True, person_detection=every_frame, part_detection=every_frame)

rows = dict(
    plain=dict(name="parts without keypoints", config="systems/pcf_parts.py"),
    mediapipe=dict(name="MediaPipe's keypoints painted", config="systems/pcf_mediapipe.py"),
)
columns = {"person/AP50": "person AP50", "part/part_AP": "part AP", "part/part_AP50": "part AP50"}
