from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tiny_tapos
from tiny import REPOSITORY

from tpsparse.analysis.temporal.report import findings_of, lengths_section, write_instance_report
from tpsparse.analysis.temporal.statistics import instance_statistics
from tpsparse.datasets.instances import Instance
from tpsparse.datasets.instances.checks import Fault
from tpsparse.errors import InputError

REAL = REPOSITORY.parent / "shared" / "tapos" / "tapos_annotation_val.json"
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Reads a page; every element must be closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.words = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []
        self.text = " ".join(filter(None, self.words))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        for kept, name in ((self.ids, "id"), (self.links, "href"), (self.sources, "src")):
            kept += [given[name]] if name in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass  # the marks of a chart

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(" ".join(data.split()))


def change(root, **changes):
    """Change the first instance."""
    path = root / "tapos_annotation.json"
    content = json.loads(path.read_text())
    next(iter(content["video-0_é"].values())).update(changes)
    path.write_text(json.dumps(content))


def test_page_of_a_labelled_set(tmp_path, find_leftovers):
    root, out = tiny_tapos.write_instances(tmp_path / "größe (b)"), tmp_path / "a b"
    found = write_instance_report(root, out)
    page = Page(out / "report.html")
    assert len(found.instances) == 9 and found.num_errors == 0
    assert sorted(path.name for path in out.iterdir()) == ["boundaries.png", "report.html", "sub-actions.png"]
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.sources) == 2 and all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "größe (b)" in page.text and "Dreisprung é" in page.text and "train, val" in page.text
    assert "warning missing-video: 1" in page.text
    assert find_leftovers(tmp_path) == []


@pytest.mark.skipif(not REAL.is_file(), reason="the real val annotation is not here")
def test_page_of_the_real_val_set(tmp_path):
    (tmp_path / REAL.name).symlink_to(REAL)
    write_instance_report(tmp_path, tmp_path / "out")
    text = Page(tmp_path / "out" / "report.html").text
    assert "1,755 instances 406 source videos 4,150 boundaries 3.36 sub-actions an instance 9.9 s" in text
    assert "No instance has a label" in text


def test_chosen_subsets(tmp_path):
    root = tiny_tapos.write_instances(tmp_path / "data")
    change(root, total_frames=0)  # of train
    assert write_instance_report(root, tmp_path / "a", subsets=["val"]).num_errors == 0
    both = write_instance_report(root, tmp_path / "b", subsets=["train", "val"])
    assert both.num_errors == 1 and len(both.instances) == 8
    assert "no-frames" in Page(tmp_path / "b" / "report.html").text
    with pytest.raises(InputError, match=re.escape(f"{root} has no usable instance of test: use some of train, val")):
        write_instance_report(root, tmp_path / "c", subsets=["test"])
    assert not (tmp_path / "c").exists()


def test_nothing_that_can_be_used(tmp_path):
    (tmp_path / "tapos_annotation.json").write_text('{"v": 3}')
    with pytest.raises(InputError, match="has no usable instance: see tools/prepare_data.py tapos check"):
        write_instance_report(tmp_path, tmp_path / "out")


def test_names_are_no_markup(tmp_path):
    root = tiny_tapos.write_instances(tmp_path / "data")
    change(root, action="<b>vault & beam</b> {{ 1 }}")
    write_instance_report(root, tmp_path / "out")
    assert "<b>vault & beam</b> {{ 1 }}" in Page(tmp_path / "out" / "report.html").text


def test_findings_in_order_with_their_first_examples():
    def fault(kind, video="v", instance="s1_0_0_1_0"):
        return Fault(kind, "train", video, instance, Path("/data/tapos_annotation.json"), "is odd")

    faults = [fault("odd-fps")] * 2 + [fault("bad-ends")] * 4 + [fault("unreadable-file", "", ""), fault("no-boundary")]
    found = findings_of(faults)
    assert [(finding.kind, finding.count, len(finding.examples)) for finding in found] == [
        ("bad-ends", 4, 3),
        ("unreadable-file", 1, 1),
        ("odd-fps", 2, 2),
        ("no-boundary", 1, 1),
    ]
    assert found[0].examples[0] == ("v/s1_0_0_1_0", "is odd") and found[1].examples[0][0] == "tapos_annotation.json"


class TestLengths:
    def section(self, *frames):
        """Instances at 10 frames a second, each of two sub-actions, the first of one frame."""
        instances = []
        for number, count in enumerate(frames):
            name = f"s1_0_0_{count // 10}_{count % 10}"
            instances.append(Instance(f"v{number}", name, "train", count, (0, 1, count)))
        return lengths_section(instance_statistics(instances))

    def test_means_and_quarters(self):
        section = self.section(10, 20, 30, 40)
        by_title = {figure.title: figure for figure in section.figures}
        assert by_title["Instances by seconds"].note == "Mean 2.5 s, half of them 1.75 to 3.25 s, longest 4 s."
        assert by_title["Instances by frames a second"].note.endswith("greatest 10.")
        assert section.text.endswith("an instance 2.5 s, half of them 1.75 to 3.25 s.")
        # Sub-actions last 0.1 s four times, and 0.9, 1.9, 2.9 and 3.9 s: 10 s in all.
        assert section.text.startswith("A sub-action lasts 1.25 s on average")

    def test_every_instance_is_in_a_bar(self):
        """The longest hundredth shares the last one."""
        section = self.section(*[20] * 300, 4000)
        chart = str(next(figure.chart for figure in section.figures if figure.title == "Instances by frames"))
        counts = [int(count.replace(",", "")) for count in re.findall(r"<title>[^<]*: ([\d,]+)</title>", chart)]
        assert sum(counts) == 301 and counts[-1] >= 1 and len(counts) == 20 and "and more: " in chart

    def test_one_instance(self):
        """Of 0.2 s: nothing is divided by nothing, and no number is missing."""
        section = self.section(2)
        assert len(section.figures) == 5 and not any("nan" in str(figure) for figure in section.figures)
