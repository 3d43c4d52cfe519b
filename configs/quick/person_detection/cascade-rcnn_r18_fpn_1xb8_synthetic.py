"""DAP, table 3, first row, at quick size: the Cascade R-CNN alone. mAP in the report: 76.6 on its own validation
videos.

    python tools/train.py configs/quick/person_detection/cascade-rcnn_r18_fpn_1xb8_synthetic.py
    python tools/test.py configs/quick/person_detection/cascade-rcnn_r18_fpn_1xb8_synthetic.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"

model = dict(context_action=None, instance_action=None)
