"""PCF, table III: part states of frames and of segments, at quick size.

    make pcf-study-data
    python tools/study.py configs/quick/studies/pcf_table3.py --seeds 0 1 2

Data: 8 synthetic actions, videos of 6 s. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/pcf_study.py", "../../_base_/studies/pcf_table3.py"]

configs = "{{ fileDirname }}/.."
