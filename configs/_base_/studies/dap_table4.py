"""Rows and columns of table 4 of the DAP report (part parsing), with its numbers."""

title = "DAP, table 4: part parsing"

rows = dict(
    shared=dict(name="shared heatmaps", config="systems/dap_shared-heatmaps.py", paper={"tps/score": 50.9}),
    maps=dict(name="part and state heatmaps", config="systems/dap_state-heatmaps.py", paper={"tps/score": 51.3}),
    vectors=dict(name="part heatmaps, state vectors", config="systems/dap_cross-entropy.py", paper={"tps/score": 51.7}),
    focal=dict(name="the same, focal loss", config="systems/dap_focal.py", paper={"tps/score": 53.2}),
)
columns = {
    "tps/score": "score",
    "tps/mean_psc": "mean PSC",
    "part/part_AP50": "part AP50",
    "part/state_top1": "states right",
    "part/state_top1_named": "states right but `none`",
}
by_part = {"part/state_top1": "states right", "part/state_top1_named": "states right but `none`"}
comparisons = [["vectors", "shared"], ["maps", "shared"], ["vectors", "maps"], ["focal", "vectors"]]
