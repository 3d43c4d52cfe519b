"""Rows and columns of PCF's table I (whole systems), with its numbers."""

title = "PCF, table I: whole systems"

rows = dict(
    tsn_rgb=dict(
        name="TSN, RGB", config="systems/pcf_tsn-rgb.py", paper={"tps/score": 49.23, "tps/action_top1": 74.03}
    ),
    tsn_flow=dict(
        name="TSN, flow", config="systems/pcf_tsn-flow.py", paper={"tps/score": 54.33, "tps/action_top1": 83.48}
    ),
    csn=dict(name="ip-CSN, RGB", config="systems/pcf.py", paper={"tps/score": 60.89, "tps/action_top1": 96.46}),
)
columns = {"tps/score": "score", "tps/action_top1": "top-1", "tps/mean_psc": "mean PSC"}
comparisons = [["tsn_flow", "tsn_rgb"], ["csn", "tsn_flow"]]
