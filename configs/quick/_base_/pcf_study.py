"""What the quick studies of PCF and the runner-up share: their data set, and how long they train on it."""

data_root = "work_dirs/studies/pcf_data"
work_dir = "work_dirs/studies/pcf"
train_split = "train"
test_split = "test"
# Trained once, on other people, by `make pcf-study-data`, and used unchanged, as the report's HRNet is COCO's. Trained
# on these videos it would be surer of the keypoints that the part detector learns from than of those in testing.
given_weights = {"pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96": "work_dirs/studies/pose/epoch_4.pth"}
# Videos of 90 frames, four and a half times those of the demo, give so many more samples an epoch.
by_task = dict(
    person_detection={"train_cfg.max_epochs": 1},
    part_detection={"train_cfg.max_epochs": 2},
)
