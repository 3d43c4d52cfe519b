"""Rows and columns of PCF's table II (what the pose gives to detection), with its numbers."""

title = "PCF, table II: detection with and without pose"

rows = dict(
    persons=dict(name="persons", config="systems/pcf_persons.py", paper={"person/AP": 74.60, "person/AP50": 93.40}),
    persons_pose=dict(
        name="persons, grown to keypoints",
        config="systems/pcf_persons-pose.py",
        paper={"person/AP": 74.80, "person/AP50": 93.80},
    ),
    parts=dict(name="parts", config="systems/pcf_parts.py", paper={"part/part_AP": 36.40, "part/part_AP50": 53.10}),
    parts_pose=dict(
        name="parts, painted keypoints",
        config="systems/pcf_parts-pose.py",
        paper={"part/part_AP": 57.10, "part/part_AP50": 79.70},
    ),
)
columns = {
    "person/AP": "person AP",
    "person/AP50": "person AP50",
    "part/part_AP": "part AP",
    "part/part_AP50": "part AP50",
}
by_part = {"part/part_AP50": "part AP50"}
