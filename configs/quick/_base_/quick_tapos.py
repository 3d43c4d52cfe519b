"""What the quick configs of temporal parsing share: synthetic sports in TAPOS's format."""

_base_ = "quick.py"

data_root = "work_dirs/studies/tapos_data"
test_split = "val"
