"""Where TAPOS lies, and which instances are used; docs/data.md shows the layout."""

data_root = "data/tapos"
train_split = "train"
test_split = "val"
