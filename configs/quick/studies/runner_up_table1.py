"""The 2021 runner-up, table 1: its six submissions, at quick size.

    make pcf-study-data
    python tools/study.py configs/quick/studies/runner_up_table1.py --seeds 0 1 2

Data: 8 synthetic actions, videos of 6 s. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/pcf_study.py", "../../_base_/studies/runner_up_table1.py"]

configs = "{{ fileDirname }}/.."
