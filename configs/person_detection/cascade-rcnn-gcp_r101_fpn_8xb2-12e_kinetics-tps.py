"""DAP, table 3, second row: Cascade R-CNN with the global context branch (GCP). mAP in the report: 77.0.

    python tools/train.py configs/person_detection/cascade-rcnn-gcp_r101_fpn_8xb2-12e_kinetics-tps.py
    python tools/test.py configs/person_detection/cascade-rcnn-gcp_r101_fpn_8xb2-12e_kinetics-tps.py CHECKPOINT

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"

model = dict(instance_action=None)
