from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from tpsparse.analysis.score.diagnosis import diagnose
from tpsparse.analysis.score.report import Comparison, write_diagnosis
from tpsparse.errors import InputError

VOID = {"meta", "img", "br", "rect", "line"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects rows of tables and links to other files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id") or "")
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


@pytest.fixture
def diagnosis(make_records):
    taxonomy, pairs = make_records(3, videos=8)
    return diagnose(pairs, taxonomy)


def test_files(diagnosis, tmp_path, find_leftovers):
    out = tmp_path / "a (b) é"
    files = write_diagnosis(diagnosis, out, system="DAP <1> (é)", failed=["v7 (é)"])
    assert sorted(files) == sorted(out.iterdir()) and len(files) == 6 and find_leftovers(out) == []
    content = json.loads((out / "bottleneck.json").read_text(encoding="utf-8"))
    assert content["system"] == "DAP <1> (é)" and content["failed"] == ["v7 (é)"] and content["against"] is None
    assert content["rows"][0]["score"] == diagnosis.result.score
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "DAP &lt;1&gt; (é)" in text and "1 videos have no record and count as empty: v7 (é)." in text


def test_page(diagnosis, tmp_path):
    write_diagnosis(diagnosis, tmp_path, system="DAP", failed=[])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert all(link.startswith("data:image/png;base64,") or link[1:] in page.ids for link in page.links)
    assert sum(link.startswith("data:") for link in page.links) == 4
    interval = "95 % interval"
    assert page.rows[0][4:] == ["score", interval, "gain", interval, "paper's score", "paper's gain"]
    rows = page.rows[1:12]
    assert [row[4] for row in rows] == [f"{100 * result.score:.2f}" for result in diagnosis.rows]
    assert rows[0][:4] == [""] * 4 and rows[3][:4] == ["", "✓", "✓", ""] and rows[10][:4] == ["✓"] * 4
    for row, result, gain in zip(rows[1:], diagnosis.rows[1:], diagnosis.gains[1:]):
        assert float(row[6]) == pytest.approx(100 * (result.score - diagnosis.result.score), abs=0.0051)
        assert row[7] == f"{100 * gain.low:+.2f} to {100 * gain.high:+.2f}".replace("-0.00", "+0.00")
    assert rows[0][6:8] == ["", ""] and float(rows[10][6]) > 10
    assert [row[8] for row in rows][:3] == ["33.32", "35.33", "36.22"] and rows[1][9] == "+2.01" and rows[0][9] == ""
    assert not any(cell == "-0.00" for row in page.rows for cell in row)
    by_part = [row for row in page.rows if row[0] in ("head", "L arm", "R arm")]
    assert len(by_part) == 3 and sum(map(float, (row[1] for row in by_part))) > 0


def test_comparison(diagnosis, make_records, tmp_path):
    taxonomy, pairs = make_records(3, videos=8)
    perfect = diagnose([(truth, truth) for _, truth in pairs], taxonomy).result
    against = Comparison.of("perfect <b>", diagnosis.result, perfect)
    assert against.difference.value == pytest.approx(diagnosis.result.score - 0.9999) and against.difference.high < 0
    top1 = against.top1_difference
    assert top1.value == pytest.approx(diagnosis.result.action_top1 - 1) and top1.low < top1.value < top1.high
    write_diagnosis(diagnosis, tmp_path, system="DAP", failed=[], against=against)
    content = json.loads((tmp_path / "bottleneck.json").read_text())
    assert content["against"]["system"] == "perfect <b>" and content["against"]["score"] == 0.9999
    assert content["against"]["action_top1"] == 1 and content["against"]["action_top1_difference"] == top1.to_json()
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert Page(text)
    for name, difference in (("score", against.difference), ("action top-1", top1)):
        assert f"<b>{100 * difference.value:+.2f}</b>{name}, against perfect &lt;b&gt;<br>" in text
    with pytest.raises(InputError, match="compare systems over the same videos"):
        Comparison.of("fewer", diagnosis.result, diagnose(make_records(3, videos=5)[1], taxonomy).result)


def test_full_disk(diagnosis, tmp_path, find_leftovers, little_room):
    with little_room(), pytest.raises(InputError, match="cannot be written .*: make room there"):
        write_diagnosis(diagnosis, tmp_path, system="DAP", failed=[])
    assert find_leftovers(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_page_without_losses(make_records, tmp_path):
    taxonomy, pairs = make_records(0)
    perfect = diagnose([(truth, truth) for _, truth in pairs], taxonomy)
    write_diagnosis(perfect, tmp_path, system="annotators", failed=[])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert [row[4] for row in page.rows[1:12]] == ["99.99"] * 11
