"""Rows and columns of table 5 of the DAP report (features), with its numbers."""

title = "DAP, table 5: features"

rows = dict(
    frame=dict(name="frame level", config="systems/dap_frame.py", paper={"tps/action_top1": 73.0, "tps/score": 46.1}),
    instance=dict(
        name="instance level", config="systems/dap_instance.py", paper={"tps/action_top1": 74.2, "tps/score": 46.4}
    ),
    timesformer=dict(
        name="TimeSformer", config="systems/dap_timesformer.py", paper={"tps/action_top1": 85.6, "tps/score": 53.2}
    ),
    swin=dict(name="Video Swin", config="systems/dap_swin.py", paper={"tps/action_top1": 87.0, "tps/score": 53.6}),
    frame_instance=dict(
        name="frame and instance level",
        config="systems/dap_frame-instance.py",
        paper={"tps/action_top1": 79.3, "tps/score": 49.7},
    ),
    everything=dict(name="everything", config="systems/dap.py", paper={"tps/action_top1": 93.2, "tps/score": 57.5}),
)
# The report does not say which predictions it combines: its rows', or those of the networks in them.
rows["row_ensemble"] = dict(name="the first four rows as an ensemble", config="systems/dap_row-ensemble.py")
columns = {"tps/action_top1": "top-1", "tps/score": "score", "tps/mean_psc": "mean PSC"}
comparisons = [["everything", row] for row in ("frame", "instance", "timesformer", "swin", "frame_instance")]
