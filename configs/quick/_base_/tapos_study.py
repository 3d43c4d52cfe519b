"""What the quick studies of temporal parsing share: their data set and folder."""

data_root = "work_dirs/studies/tapos_data"
work_dir = "work_dirs/studies/tapos"
train_split = "train"
test_split = "val"
