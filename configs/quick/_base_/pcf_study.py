"""What the quick studies of PCF and the runner-up share: their data set, and how long they train on it."""

data_root = "work_dirs/studies/pcf_data"
work_dir = "work_dirs/studies/pcf"
train_split = "train"
test_split = "test"
# Videos of 90 frames, four and a half times those of the demo, give so many more samples an epoch.
by_task = dict(
    person_detection={"train_cfg.max_epochs": 1},
    pose_estimation={"train_cfg.max_epochs": 2},
    part_detection={"train_cfg.max_epochs": 2},
)
