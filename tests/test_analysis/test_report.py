from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from tpsparse.analysis.report import render, split_row, subsets_of, write_report
from tpsparse.analysis.statistics import VideoCounts
from tpsparse.datasets.splits import write_splits
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Reads a page; every element must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self.sources += [given["src"]] if "src" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass  # the marks of a chart

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def text(tiny_root, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "a (b) ü" / "report.html"
    assert len(write_report(tiny_root, path)) == 0
    return path.read_text(encoding="utf-8")


class TestPage:
    def test_contents_lead_to_sections(self, text):
        page = Page(text)
        assert len(page.links) > 9 and {link.removeprefix("#") for link in page.links} == set(page.ids)
        assert len(set(page.ids)) == len(page.ids)

    def test_needs_no_other_file(self, text):
        page = Page(text)
        assert len(page.sources) == 3 and all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
        assert all(link.startswith("#") for link in page.links)
        assert not re.search(r"https?:|url\(|@import|<script|<link", text)

    def test_totals(self, text):
        """Six videos of 12 frames, two persons in those of the third action; 24 of 96 persons lack the right arm."""
        words = Page(text).words
        for number in ("6", "72", "96", "264"):
            assert number in words
        assert "None were found." in words

    def test_actions_are_charted(self, text):
        words = Page(text).words
        assert words.count("pull ups") >= 7 and "Part and state by action" in words

    def test_width_of_a_phone(self, text):
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text


def test_same_data_same_page(tiny_root, tmp_path, text):
    write_report(tiny_root, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_names_are_escaped():
    row = split_row("<b>", VideoCounts([], *(np.zeros(0, int),) * 7))
    text = render(
        name="<script>alert(1)</script>",
        split="<i>",
        taxonomy=Taxonomy(("head",), ("none",), ("lunge",)),
        totals=row,
        splits=[row],
        sections=[],
        samples=[],
        findings=[],
    )
    assert "<script>" not in text and "<i>" not in text and "&lt;b&gt;" in text
    Page(text)


def test_problems_are_told_with_their_remedy(tiny_copy, tmp_path, spoil):
    told = spoil(tiny_copy)
    problems = write_report(tiny_copy, tmp_path / "report.html")
    assert {file for file in told if "_test_" not in file} <= {problem.path.name for problem in problems}
    words = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).words)
    for file in told:
        assert file in words
    assert "unknown-state" in words and "Remedy: restore the file." in words


class TestSplits:
    def rows(self, path) -> dict[str, list[str]]:
        """Cells of the table by split."""
        text = path.read_text(encoding="utf-8")
        table = text[text.index("<tbody>") : text.index("</tbody>")]
        cells = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[1:]]
        return {name: values for name, *values in cells}

    def test_official_and_named(self, tiny_copy, tmp_path):
        write_splits(tiny_copy, names=["all", "dap"], folds=2)
        write_report(tiny_copy, tmp_path / "report.html")
        rows = self.rows(tmp_path / "report.html")
        assert list(rows) == [
            "train",
            "test",
            "2fold/0/val",
            "2fold/1/val",
            "all/train",
            "all/val",
            "dap/train",
            "dap/val",
        ]
        assert rows["train"][:4] == ["6", "72", "96", "264"] and rows["all/train"] == rows["train"]
        assert rows["all/val"][:2] == ["0", "0"] and rows["test"][:3] == ["3", "36", "48"]
        assert int(rows["dap/train"][1]) + int(rows["dap/val"][1]) == 72
        assert rows["train"][-1] == "0.1"  # six times 1.2 seconds

    def test_named_split_is_charted(self, tiny_copy, tmp_path):
        write_splits(tiny_copy, names=["all"], folds=2)
        write_report(tiny_copy, tmp_path / "report.html", split="2fold/0/val")
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "split 2fold/0/val" in text and "<b>36</b>frames" in text

    def test_without_test_videos(self, tiny_copy, tmp_path):
        shutil.rmtree(tiny_copy / "test_videos")
        assert len(write_report(tiny_copy, tmp_path / "report.html")) == 0
        assert list(self.rows(tmp_path / "report.html")) == ["train"]

    def test_empty_test_folder_is_noted(self, tiny_copy, tmp_path):
        shutil.rmtree(tiny_copy / "test_videos")
        (tiny_copy / "test_videos").mkdir()
        problems = write_report(tiny_copy, tmp_path / "report.html")
        assert ["no usable video" in problem.message for problem in problems] == [True]

    @pytest.mark.parametrize(
        "content", ["{", "[]", '{"subsets": 3}', '{"other": {}}', '{"subsets": {"val": 3}}', "\xff"]
    )
    def test_broken_file_of_splits_costs_only_itself(self, tiny_copy, tmp_path, content):
        write_splits(tiny_copy, names=["runner_up"])
        (tiny_copy / "splits" / "dap.json").write_bytes(content.encode("latin-1"))
        [problem] = write_report(tiny_copy, tmp_path / "report.html")
        assert problem.path.name == "dap.json" and "restore it" in problem.message and "dap.json" not in problem.message
        assert list(self.rows(tmp_path / "report.html")) == ["train", "test", "runner_up/train", "runner_up/val"]

    @pytest.mark.parametrize(
        ("gone", "told"),
        [
            (["lunge/gone (1) ü.mp4"], "lists for mine/val lunge/gone (1) ü.mp4, not there"),
            (["push_up/b.mp4", "lunge/a.mp4"], "lists for mine/val lunge/a.mp4 and 1 more, not there"),
        ],
    )
    def test_videos_that_are_not_there_are_told(self, tiny_copy, tmp_path, gone, told):
        (tiny_copy / "splits").mkdir()
        subsets = {"train": ["lunge/lunge_train_0.mp4"], "val": ["lunge/lunge_train_1.mp4", *gone], "empty": []}
        (tiny_copy / "splits" / "mine.json").write_text(json.dumps({"subsets": subsets}))
        [problem] = write_report(tiny_copy, tmp_path / "report.html")
        assert problem.skipped == "video" and problem.path == tiny_copy / "splits" / "mine.json"
        assert problem.message == f"{told}: restore what is missing, or write the split again"
        rows = self.rows(tmp_path / "report.html")
        assert [rows[f"mine/{subset}"][0] for subset in subsets] == ["1", "1", "0"]

    def test_broken_video_of_a_named_split_is_there(self, tiny_copy, tmp_path):
        write_splits(tiny_copy, names=["all"])
        (tiny_copy / "train_videos" / "lunge" / "lunge_train_0.mp4").write_bytes(b"")
        [problem] = write_report(tiny_copy, tmp_path / "report.html")
        assert problem.path.name == "lunge_train_0.mp4" and "is empty" in problem.message

    def test_names(self, tiny_copy):
        write_splits(tiny_copy, names=["dap"], folds=3)
        assert subsets_of(tiny_copy / "splits" / "dap.json") == ["dap/train", "dap/val"]
        assert subsets_of(tiny_copy / "splits" / "3fold.json") == ["3fold/0/val", "3fold/1/val", "3fold/2/val"]


def test_test_split_without_annotations(tiny_copy, tmp_path):
    """The challenge's own test split is like this."""
    shutil.rmtree(tiny_copy / "test_annotations")
    write_report(tiny_copy, tmp_path / "report.html", split="test")
    words = Page((tmp_path / "report.html").read_text(encoding="utf-8")).words
    assert (
        "No persons are annotated." in words and "A random annotated frame of each action: none can be shown." in words
    )


@pytest.mark.parametrize(("split", "told"), [("val", "has no split 'val'"), ("dap/val", "dap.json is missing")])
def test_unknown_split(tiny_root, tmp_path, split, told):
    with pytest.raises(InputError, match=told):
        write_report(tiny_root, tmp_path / "report.html", split=split)
    assert not (tmp_path / "report.html").exists()
