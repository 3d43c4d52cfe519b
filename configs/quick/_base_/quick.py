"""What the quick configs share: the demo's data set, and logs for two cores."""

_base_ = ["../../_base_/runtime.py"]

data_root = "work_dirs/demo/data"
train_split = "train"
test_split = "test"
# Networks this small gain nothing from a second thread, and one thread gives the same digits in one process or many.
num_threads = 1

default_hooks = dict(logger=dict(interval=20))
visualizer = dict(vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
log_level = "WARNING"
