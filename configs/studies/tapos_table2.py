"""TAPOS, table 2.

    python tools/study.py configs/studies/tapos_table2.py --seeds 0 1 2

Data: TAPOS, its instances cut and their features written (docs/data.md). Hardware: one GPU.
"""

_base_ = ["../_base_/tapos.py", "../_base_/studies/tapos_table2.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/tapos"
