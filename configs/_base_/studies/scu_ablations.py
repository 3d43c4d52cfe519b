"""Rows and columns of what SCU's pieces give; the report has no such table, only its score on the challenge's test."""

title = "SCU and its ablations"

rows = dict(
    scu=dict(name="SCU", config="systems/scu.py"),
    no_relevance=dict(name="without relevance", config="systems/scu_no-relevance.py"),
    no_language=dict(name="without language", config="systems/scu_no-language.py"),
    language_only=dict(name="language only", config="systems/scu_language-only.py"),
    mean=dict(name="mean instead of LSTM", config="systems/scu_mean.py"),
)
columns = {
    "tps/score": "score",
    "tps/action_top1": "top-1",
    "tps/mean_psc": "mean PSC",
    "state/mAP": "mAP of states",
}
comparisons = [["scu", row] for row in ("no_relevance", "no_language", "language_only", "mean")]
