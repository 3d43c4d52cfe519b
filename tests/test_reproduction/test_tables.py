"""A study's table as Markdown, against lines written by hand."""

from __future__ import annotations

import pytest

from tpsparse.reproduction.tables import render, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "-"),
        ([0.5], "50.0"),
        ([0.4, 0.6], "50.0 ± 14.1"),  # deviation of a sample of two: 0.2 / sqrt(2)
        ([0.3, 0.3, 0.3], "30.0 ± 0.0"),
        ([0.3, float("nan")], "-"),
    ],
)
def test_spread(values, expected):
    assert spread(values) == expected


DIFFERENCE = dict(value=0.02, low=-0.01, high=0.05, seeds=[0.1, -0.06])


def table(**changes):
    made = dict(
        title="T",
        data=dict(root="data", train="dap/train", test="test"),
        seeds=[0, 1],
        columns={"tps/score": "score", "part/x": "X"},
        rows={
            "a": dict(name="first", paper={"tps/score": 50.9}, values={"tps/score": [0.4, 0.6], "part/x": [1.0, 1.0]}),
            "b": dict(name="second", paper={}, values={"tps/score": [0.5, 0.5]}),
        },
        comparisons=[dict(first="a", second="b", differences={"tps/score": DIFFERENCE, "tps/action_top1": DIFFERENCE})],
    )
    return {**made, **changes}


def test_whole_table():
    lines = render(table()).splitlines()
    assert lines[:4] == [
        "| T | score, report | score | X |",
        "| --- | --- | --- | --- |",
        "| first | 50.9 | 50.0 ± 14.1 | 100.0 ± 0.0 |",
        "| second | - | 50.0 ± 0.0 | - |",
    ]
    assert lines[5].startswith(
        "Trained on dap/train and tested on test of data, seeds 0, 1: mean ± standard deviation."
    )
    assert lines[6:] == [
        "- first against second: score +2.0, 95 % interval over videos -1.0 to +5.0; by seed +10.0, -6.0"
    ]


def test_nothing_to_compare():
    lines = render(table(comparisons=[dict(first="a", second="b", differences={})])).splitlines()
    assert lines[-1] == "- first against second: the test split has nothing to compare them by"
    assert len(render(table(comparisons=[])).splitlines()) == len(lines) - 1


def test_no_paper_column_where_the_paper_has_none():
    rows = {"b": dict(name="second", paper={}, values={"tps/score": [0.5]})}
    assert render(table(rows=rows, comparisons=[])).splitlines()[0] == "| T | score | X |"


def test_parts_by_rows():
    rows = {
        "a": dict(name="first", paper={}, values={"x/head": [0.5, 0.7], "x/hip": [1.0, 1.0]}),
        "b": dict(name="second", paper={}, values={"x/head": [0.25, 0.25]}),
    }
    made = table(rows=rows, comparisons=[], by_part={"x": "states right"}, parts=["head", "hip"])
    assert render(made).splitlines()[-4:] == [
        "| states right | first | second |",
        "| --- | --- | --- |",
        "| head | 60.0 ± 14.1 | 25.0 ± 0.0 |",
        "| hip | 100.0 ± 0.0 | - |",
    ]
