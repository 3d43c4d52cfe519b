"""What the quick configs share: the demo's data set, and logs for two cores."""

_base_ = ["../../_base_/runtime.py"]

data_root = "work_dirs/demo/data"

default_hooks = dict(logger=dict(interval=20))
visualizer = dict(vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
log_level = "WARNING"
