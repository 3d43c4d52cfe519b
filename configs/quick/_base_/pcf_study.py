"""What the quick studies of PCF and the runner-up share: their data set, and frames to train on."""

data_root = "work_dirs/studies/pcf_data"
work_dir = "work_dirs/studies/pcf"
train_split = "train"
test_split = "test"
every_fifth_frame = {"train_dataloader.dataset.frame_step": 5}
by_task = dict(person_detection=every_fifth_frame)
