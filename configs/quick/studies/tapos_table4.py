"""TAPOS, tables 1 and 4, at quick size.

    make tapos-study-data
    python tools/study.py configs/quick/studies/tapos_table4.py --seeds 0 1 2

Data: synthetic sports in TAPOS's format. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/tapos_study.py", "../../_base_/studies/tapos_table4.py"]

configs = "{{ fileDirname }}/.."

tsn = "action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb"
rows = dict(
    uniform=dict(config=f"{tsn}.py"),
    isba=dict(config=f"{tsn}_isba.py"),
    ctm=dict(config=f"{tsn}_ctm.py"),
    tcn=dict(config=f"{tsn}_tcn.py"),
    transparser=dict(config=f"{tsn}_transparser.py"),
    aligned=dict(config=f"{tsn}_aligned.py"),
)
