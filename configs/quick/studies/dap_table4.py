"""DAP, table 4, at quick size; the action throughout is that of the detector's AP-RCNN branch.

    make study-data
    python tools/study.py configs/quick/studies/dap_table4.py --seeds 0 1 2

Data: 12 synthetic actions. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/study.py", "../../_base_/studies/dap_table4.py"]

configs = "{{ fileDirname }}/.."
