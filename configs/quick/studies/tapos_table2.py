"""TAPOS, table 2, at quick size.

    make tapos-study-data
    python tools/study.py configs/quick/studies/tapos_table2.py --seeds 0 1 2

Data: synthetic sports in TAPOS's format. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/tapos_study.py", "../../_base_/studies/tapos_table2.py"]

configs = "{{ fileDirname }}/.."

parsers = "temporal_parsing"
rows = dict(
    floor_none=dict(config=f"{parsers}/floor_none_synthetic.py"),
    floor_even=dict(config=f"{parsers}/floor_even_synthetic.py"),
    kmeans=dict(config=f"{parsers}/kmeans_k64_synthetic.py"),
    isba=dict(config=f"{parsers}/isba_k64_synthetic.py"),
    ctm=dict(config=f"{parsers}/ctm_synthetic.py"),
    tcn=dict(config=f"{parsers}/tcn_synthetic.py"),
    tcn_peaks=dict(config=f"{parsers}/tcn_peaks_synthetic.py"),
    transparser=dict(config=f"{parsers}/transparser_2xsps_1xb8_synthetic.py"),
    transparser_window9=dict(config=f"{parsers}/transparser_2xsps_1xb8_synthetic_window9.py"),
)
