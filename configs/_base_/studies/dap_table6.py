"""Rows and columns of table 6 of the DAP report (features, on the test videos), with its numbers."""

title = "DAP, table 6: features, test videos"

rows = dict(
    frame=dict(name="frame level", config="systems/dap_frame.py", paper={"tps/action_top1": 73.8}),
    instance=dict(name="instance level", config="systems/dap_instance.py", paper={"tps/action_top1": 79.0}),
    timesformer=dict(name="TimeSformer", config="systems/dap_timesformer.py", paper={"tps/action_top1": 85.0}),
    swin=dict(name="Video Swin", config="systems/dap_swin.py", paper={"tps/action_top1": 87.5}),
    frame_instance=dict(
        name="frame and instance level", config="systems/dap_frame-instance.py", paper={"tps/action_top1": 82.4}
    ),
    everything=dict(name="everything", config="systems/dap.py", paper={"tps/action_top1": 94.1}),
)
columns = {"tps/action_top1": "top-1"}
