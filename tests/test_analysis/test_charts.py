"""Charts are read back as XML."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from tpsparse.analysis.charts import (
    BAR,
    LONGEST,
    PLOT_HEIGHT,
    ROW,
    Mark,
    bar_chart,
    histogram,
    range_chart,
    stacked_bar,
)

RED = (255, 0, 16)


def marks(*values: float) -> list[Mark]:
    return [Mark(f"mark {i}", value, f"{value:,} told", RED) for i, value in enumerate(values)]


def read(chart) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart))


def percent(element, name: str) -> float:
    value = element.get(name, "0%")
    assert value.endswith("%")
    return float(value[:-1])


class TestBarChart:
    def test_lengths_and_places(self):
        root = read(bar_chart("persons", marks(50, 100, 0)))
        bars = root.findall("g/rect")
        assert [percent(bar, "width") for bar in bars] == pytest.approx([LONGEST / 2, LONGEST, 0])
        assert [float(bar.get("y")) for bar in bars] == [0, ROW, 2 * ROW]
        assert {bar.get("fill") for bar in bars} == {"#ff0010"} and float(bars[0].get("height")) == BAR
        assert root.get("aria-label") == "persons" and float(root.get("height")) == 3 * ROW

    def test_texts(self):
        root = read(bar_chart("persons", marks(1234)))
        assert [text.text for text in root.iter("text")] == ["mark 0", "1,234 told"]
        assert root.find("g/title").text == "mark 0: 1,234 told"

    def test_logarithmic(self):
        bars = read(bar_chart("states", marks(9, 99, 0), logarithmic=True)).findall("g/rect")
        assert [percent(bar, "width") for bar in bars] == pytest.approx([LONGEST / 2, LONGEST, 0], abs=0.01)

    def test_longest_is_shared_by_charts(self):
        [bar] = read(bar_chart("states", marks(25), longest=100)).findall("g/rect")
        assert percent(bar, "width") == pytest.approx(LONGEST / 4)

    @pytest.mark.parametrize("values", [(), (0,), (0, 0)])
    def test_nothing(self, values):
        root = read(bar_chart("states", marks(*values)))
        assert [percent(bar, "width") for bar in root.findall("g/rect")] == [0] * len(values)

    def test_names_cannot_break_the_page(self):
        name = "<script>\"&'"
        root = read(bar_chart(name, [Mark(name, 1, name, RED)]))
        assert root.get("aria-label") == name and [text.text for text in root.iter("text")] == [name, name]


class TestStackedBar:
    def test_segments_follow_each_other(self):
        segments = read(stacked_bar("states", marks(60, 30, 10))).findall("svg")
        assert [percent(segment, "x") for segment in segments] == pytest.approx([0, 60, 90])
        assert [percent(segment, "width") for segment in segments] == pytest.approx([60, 30, 10])
        shades = [float(segment.find("rect").get("opacity")) for segment in segments]
        assert shades == sorted(shades, reverse=True) and len(set(shades)) == 3

    @pytest.mark.parametrize(("value", "written"), [(12, True), (11.9, False)])
    def test_narrow_segments_have_no_name(self, value, written):
        segments = read(stacked_bar("states", marks(100 - value, value))).findall("svg")
        assert (segments[1].find("text") is not None) == written and segments[1].find("title") is not None

    @pytest.mark.parametrize("values", [(), (0, 0)])
    def test_nothing(self, values):
        segments = read(stacked_bar("states", marks(*values))).findall("svg")
        assert [percent(segment, "width") for segment in segments] == [0] * len(values)


class TestHistogram:
    def test_heights_and_places(self):
        bars = read(histogram("persons", marks(10, 40), ticks=["1", "2"])).findall("g/rect")
        assert [float(bar.get("height")) for bar in bars] == [PLOT_HEIGHT / 4, PLOT_HEIGHT]
        assert [float(bar.get("y")) for bar in bars] == [PLOT_HEIGHT * 3 / 4, 0]
        assert percent(bars[0], "x") < 50 <= percent(bars[1], "x")

    @pytest.mark.parametrize(("ticks", "places"), [(["a", "b"], [25, 75]), (["a", "b", "c"], [0, 50, 100])])
    def test_ticks_stand_below_bars_or_borders(self, ticks, places):
        texts = read(histogram("persons", marks(1, 1), ticks=ticks)).findall("text")
        assert [percent(text, "x") for text in texts] == places
        assert (texts[0].get("text-anchor") == "start") == (places[0] == 0)

    def test_nothing(self):
        assert read(histogram("persons", marks(0, 0), ticks=["1", "2"])).find("g/rect").get("height") == "0.0"


class TestRangeChart:
    def test_on_a_logarithmic_scale(self):
        """From 1 to 100: 10 is in the middle."""
        [row] = read(range_chart("sides", [(marks(0)[0], [1, 10, 10, 100, 100])])).findall("g")
        whole, median = row.findall("line")
        assert (percent(whole, "x1"), percent(whole, "x2")) == (0, 100)
        assert percent(median, "x1") == 50 and percent(row.find("rect"), "x") == 50
        assert percent(row.find("rect"), "width") == 50

    def test_one_scale_for_all_rows(self):
        first, second = marks(0, 0)
        rows = read(range_chart("sides", [(first, [1] * 5), (second, [4, 8, 16, 16, 16])])).findall("g")
        assert percent(rows[0].find("line"), "x2") == 0 and percent(rows[1].find("line"), "x1") == 50

    def test_row_without_boxes(self):
        root = read(range_chart("sides", [(marks(0)[0], [math.nan] * 5)]))
        assert root.find("g") is None and root.find("text").text == "mark 0"

    def test_all_equal(self):
        assert read(range_chart("sides", [(marks(0)[0], [7] * 5)])).find("g") is not None
