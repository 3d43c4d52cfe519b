"""DAP, table 3, second row, at quick size: Cascade R-CNN with the global context branch (GCP). mAP in the report: 77.0.

    python tools/train.py configs/quick/person_detection/cascade-rcnn-gcp_r18_fpn_1xb8_synthetic.py
    python tools/test.py configs/quick/person_detection/cascade-rcnn-gcp_r18_fpn_1xb8_synthetic.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"

model = dict(instance_action=None)
