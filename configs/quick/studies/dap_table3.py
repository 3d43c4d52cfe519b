"""DAP, table 3, at quick size.

    make study-data
    python tools/study.py configs/quick/studies/dap_table3.py --seeds 0 1 2

Data: 12 synthetic actions. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/study.py", "../../_base_/studies/dap_table3.py"]

configs = "{{ fileDirname }}/.."

detectors = "person_detection"
rows = dict(
    plain=dict(config=f"{detectors}/cascade-rcnn_r18_fpn_1xb8_synthetic.py"),
    gcp=dict(config=f"{detectors}/cascade-rcnn-gcp_r18_fpn_1xb8_synthetic.py"),
    both=dict(config=f"{detectors}/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"),
)
