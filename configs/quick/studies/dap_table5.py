"""DAP, table 5, at quick size.

    make study-data
    python tools/study.py configs/quick/studies/dap_table5.py --seeds 0 1 2

Data: 12 synthetic actions. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/study.py", "../../_base_/studies/dap_table5.py"]

configs = "{{ fileDirname }}/.."

# Not in the report: the members of the ensemble that have no row there, and weights fitted on held-out videos.
whole = "systems/dap.py"
rows = dict(
    gcp=dict(name="GCP branch alone", config=whole, source="frame"),
    ap_rcnn=dict(name="AP-RCNN branch alone", config=whole, source="instance"),
    fusion=dict(name="MLP of all features alone", config=whole, source="fusion"),
    fitted=dict(name="everything, weights fitted on dap/val", config=whole, fit_split="dap/val"),
    row_fitted=dict(
        name="the first four rows, weights fitted on dap/val",
        config="systems/dap_row-ensemble.py",
        fit_split="dap/val",
    ),
)
members = ("timesformer", "swin", "gcp", "ap_rcnn", "fusion")
comparisons = [[ensemble, member] for ensemble in ("everything", "fitted") for member in members]
own_rows = ("frame", "instance", "timesformer", "swin")
comparisons += [[ensemble, member] for ensemble in ("row_ensemble", "row_fitted") for member in own_rows]
comparisons += [["fitted", "everything"], ["everything", "frame_instance"]]
