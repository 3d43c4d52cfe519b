"""TAPOS, table 3, at quick size.

    make tapos-study-data
    python tools/study.py configs/quick/studies/tapos_table3.py --seeds 0 1 2

Data: synthetic sports in TAPOS's format. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/tapos_study.py", "../../_base_/studies/tapos_table3.py"]

configs = "{{ fileDirname }}/.."

parsers = "temporal_parsing"
rows = dict(
    one_without=dict(config=f"{parsers}/transparser_1xsps_1xb8_synthetic_no-local-loss.py"),
    one=dict(config=f"{parsers}/transparser_1xsps_1xb8_synthetic.py"),
    two=dict(config=f"{parsers}/transparser_2xsps_1xb8_synthetic.py"),
)
