"""DAP, table 5, at quick size.

    make study-data
    python tools/study.py configs/quick/studies/dap_table5.py --seeds 0 1 2

Data: 12 synthetic actions. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/study.py", "../../_base_/studies/dap_table5.py"]

configs = "{{ fileDirname }}/.."

# Not in the report, which does not give its weights.
rows = dict(
    fitted=dict(name="everything, weights fitted on dap/val", config="systems/dap.py", fit_split="dap/val"),
)
others = ("frame", "instance", "timesformer", "swin", "frame_instance", "everything")
comparisons = [*_base_.comparisons, *(["fitted", row] for row in others)]
