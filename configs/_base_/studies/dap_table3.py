"""Rows and columns of table 3 of the DAP report (the person detector), with its numbers."""

title = "DAP, table 3: person detector"

detectors = "person_detection"
rows = dict(
    plain=dict(
        name="Cascade R-CNN",
        config=f"{detectors}/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py",
        paper={"person/AP": 76.6},
    ),
    gcp=dict(
        name="with global context (GCP)",
        config=f"{detectors}/cascade-rcnn-gcp_r101_fpn_8xb2-12e_kinetics-tps.py",
        paper={"person/AP": 77.0},
    ),
    both=dict(
        name="with GCP and AP-RCNN",
        config=f"{detectors}/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py",
        paper={"person/AP": 76.0},
    ),
)
columns = {
    "person/AP": "AP",
    "person/AP50": "AP50",
    "person/context_top1": "top-1 of GCP",
    "person/instance_top1": "top-1 of AP-RCNN",
}
