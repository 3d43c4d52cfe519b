"""Rows and columns of PCF's table III (states of frames and segments), with its accuracies."""

title = "PCF, table III: part states of frames and of segments"

groups = ("head", "arm", "hand", "hip", "leg", "foot")
rows = dict(
    frame=dict(
        name="frame",
        config="systems/pcf_states-frame.py",
        paper={f"state/{group}": value for group, value in zip(groups, (92.46, 68.11, 68.50, 84.19, 66.27, 65.47))},
    ),
    segment_3s=dict(
        name="3 s",
        config="systems/pcf_states-3s.py",
        paper={f"state/{group}": value for group, value in zip(groups, (92.46, 68.07, 68.43, 84.14, 66.14, 65.36))},
    ),
    segment_10s=dict(
        name="10 s",
        config="systems/pcf_states-10s.py",
        paper={f"state/{group}": value for group, value in zip(groups, (92.44, 67.69, 68.10, 83.99, 65.59, 65.02))},
    ),
)
columns = {**{f"state/{group}": group for group in groups}, "state/all": "all"}
