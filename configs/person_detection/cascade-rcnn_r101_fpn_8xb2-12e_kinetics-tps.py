"""DAP, table 3, first row: the Cascade R-CNN alone. mAP in the report: 76.6 on its own validation videos.

    python tools/train.py configs/person_detection/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py
    python tools/test.py configs/person_detection/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py CHECKPOINT

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"

model = dict(context_action=None, instance_action=None)
