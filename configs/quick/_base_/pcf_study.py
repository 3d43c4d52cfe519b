"""What the quick studies of PCF and the runner-up share: their data set, and how long they train on it."""

data_root = "work_dirs/studies/pcf_data"
work_dir = "work_dirs/studies/pcf"
train_split = "train"
test_split = "test"
# Where the pose network is trained: on other people, as the report's HRNet is on COCO's. On the same videos it would be
# surer of its training keypoints, which the part detector learns from, than of those that it is tested with.
pose_root = "work_dirs/studies/pose_data"
# Videos of 90 frames, four and a half times those of the demo, give so many more samples an epoch.
by_task = dict(
    person_detection={"train_cfg.max_epochs": 1},
    pose_estimation={
        "train_dataloader.dataset.data_root": pose_root,
        "train_dataloader.dataset.keypoints": f"{pose_root}/keypoints",
        "train_dataloader.dataset.frame_step": 1,
        "train_cfg.max_epochs": 2,
    },
    part_detection={"train_cfg.max_epochs": 2},
)
