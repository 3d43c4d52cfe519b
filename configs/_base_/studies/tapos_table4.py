"""Rows and columns of TAPOS, tables 1 and 4 (TSN on RGB, clips along sub-actions), with the paper's numbers."""

title = "TAPOS, tables 1 and 4: recognition along sub-actions"

tsn = "action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb"
rows = dict(
    uniform=dict(name="evenly", config=f"{tsn}.py", paper={"acc/top1": 83.97, "acc/mean1": 82.22}),
    isba=dict(name="along ISBA's", config=f"{tsn}_isba.py", paper={"acc/top1": 80.95, "acc/mean1": 79.61}),
    ctm=dict(name="along CTM's", config=f"{tsn}_ctm.py", paper={"acc/top1": 82.51, "acc/mean1": 82.33}),
    tcn=dict(name="along TCN's", config=f"{tsn}_tcn.py", paper={"acc/top1": 81.79, "acc/mean1": 81.10}),
    transparser=dict(
        name="along TransParser's", config=f"{tsn}_transparser.py", paper={"acc/top1": 84.80, "acc/mean1": 83.30}
    ),
    aligned=dict(name="along the annotated", config=f"{tsn}_aligned.py", paper={"acc/top1": 88.83, "acc/mean1": 86.22}),
)
columns = {"acc/top1": "top-1", "acc/mean1": "mean over classes"}
