"""Rows and columns of table 1 of the 2021 runner-up's report (its submissions), with its numbers."""

title = "2021 runner-up, table 1: one submission after the other"

ladder = "systems/runner_up_2021"
rows = dict(
    baseline=dict(
        name="1 most frequent states",
        config=f"{ladder}_1-baseline.py",
        paper={"tps/score": 45.11, "tps/action_top1": 86.57},
    ),
    ensemble=dict(
        name="2 frozen norms, two networks",
        config=f"{ladder}_2-frozen-ensemble.py",
        paper={"tps/score": 50.22, "tps/action_top1": 96.78},
    ),
    pose=dict(
        name="3 painted keypoints", config=f"{ladder}_3-pose.py", paper={"tps/score": 58.31, "tps/action_top1": 96.78}
    ),
    grown=dict(
        name="4 grown person boxes",
        config=f"{ladder}_4-grown-boxes.py",
        paper={"tps/score": 58.66, "tps/action_top1": 96.78},
    ),
    video=dict(
        name="5 states of videos",
        config=f"{ladder}_5-video-states.py",
        paper={"tps/score": 61.1, "tps/action_top1": 96.78},
    ),
    fused=dict(
        name="6 states by two networks", config=f"{ladder}.py", paper={"tps/score": 61.37, "tps/action_top1": 96.78}
    ),
)
columns = {"tps/score": "score", "tps/action_top1": "top-1", "tps/mean_psc": "mean PSC"}
steps = ("baseline", "ensemble", "pose", "grown", "video", "fused")
comparisons = [[after, before] for before, after in zip(steps, steps[1:])]
