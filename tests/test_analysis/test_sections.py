from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from tpsparse.analysis import sections
from tpsparse.analysis.statistics import BoxSizes, DatasetStatistics, VideoCounts
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "lift", "step_on"),
    actions=("hurling_(sport)", "lunge"),
    objects=("bat", "ball"),
)
NO_BOX = BoxSizes(np.full(5, np.nan), np.zeros(3, dtype=int))


def make(pairs=None, persons=(3, 1), objects=(0, 0, 0), taxonomy=TAXONOMY, **changes) -> DatasetStatistics:
    """Two videos, one of each action."""
    shape = (len(taxonomy.actions), len(taxonomy.parts), len(taxonomy.states))
    one = np.ones(2, dtype=int)
    given = dict(
        taxonomy=taxonomy,
        videos=VideoCounts(
            ["a/v.mp4", "b/v.mp4"], np.array([0, 1]), one, one, one, np.array(persons), one * 0, one * 0
        ),
        pairs=np.zeros(shape, dtype=int) if pairs is None else pairs,
        objects=np.array(objects),
        frame_persons=np.array([0, 1, 1] + [0] * 8),
        person_parts=np.array([0, 0, 3, 1]),
        person_heights=np.arange(20),
        person_sizes=BoxSizes(np.array([4.0, 8, 16, 32, 64]), np.array([1, 2, 1])),
        part_sizes=[NO_BOX] * len(taxonomy.parts),
    )
    return DatasetStatistics(**{**given, **changes})


def texts(figure: sections.Figure) -> list[str]:
    """What is written on a chart."""
    return [text.text for text in ElementTree.fromstring(str(figure.chart)).iter("text")]


@pytest.fixture
def pairs():
    counts = np.zeros((2, 3, 4), dtype=int)
    counts[0, 0] = [80, 0, 0, 0]
    counts[0, 1] = [0, 10, 5, 0]
    counts[0, 2] = [0, 5, 0, 0]
    counts[1, 0] = [0, 0, 0, 2]
    return counts


def test_every_section_of_nothing():
    empty = make(persons=(0, 0), frame_persons=np.zeros(11, int), person_parts=np.zeros(4, int), person_sizes=NO_BOX)
    found = sections.chart_sections(empty)
    assert len({section.anchor for section in found}) == len(found) == 8
    for figure in (figure for section in found for figure in section.figures):
        assert not str(figure.chart) or ElementTree.fromstring(str(figure.chart)) is not None
    assert found[0].text.startswith("No persons are annotated")


def test_actions():
    section = sections.actions_section(make())
    assert [figure.title for figure in section.figures] == [
        f"{title} per action" for title in sections.COLUMNS.values()
    ]
    assert texts(section.figures[2]) == ["hurling (sport)", "3", "lunge", "1"]
    assert section.text == "Most persons: hurling (sport) with 3, 3.0 times the 1 of lunge, which has fewest."


def test_action_without_persons_is_told():
    assert sections.actions_section(make(persons=(3, 0))).text.endswith("Without persons: lunge.")


def test_crowd():
    section = sections.crowd_section(make())
    assert section.text == (
        "50 % of the annotated frames have more than one person; 25 % of the persons have all 3 parts."
    )


def test_part_states(pairs):
    head, left, right = sections.part_states_section(make(pairs)).figures
    assert head.title == "head: 82" and head.note == "none 98 %, step on 2.4 %"
    assert left.note == "bend 67 %, lift 33 %" and right.title == "R arm: 5"
    assert texts(left) == ["bend", "lift"]


def test_rare_states_are_one_segment(pairs, monkeypatch):
    monkeypatch.setattr(sections, "SEGMENTS", 1)
    assert sections.part_states_section(make(pairs)).figures[1].note == "bend 67 %, rest 33 %"


def test_part_that_is_never_annotated(pairs):
    pairs[:, 2] = 0
    assert sections.part_states_section(make(pairs)).figures[2].note == "Never annotated."


def test_top_states(pairs):
    section = sections.top_states_section(make(pairs))
    assert texts(section.figures[0]) == ["none", "80 (98 %)", "step on", "2 (2.4 %)"]
    assert [figure.title for figure in section.figures] == ["head", "L arm", "R arm"]


def test_tail(pairs):
    section = sections.tail_section(make(pairs))
    assert section.text == "4 of 4 states occur; 2 of them make up 90 % of all parts, 4 occur under 100 times."
    assert texts(section.figures[0])[::2] == ["none", "bend", "lift", "step on"]


@pytest.mark.parametrize(("second", "many"), [(9, 1), (10, 1), (11, 2)])
def test_tail_at_nine_tenths(second, many):
    """90 of 100 are exactly nine tenths."""
    counts = np.zeros((2, 3, 4), dtype=int)
    counts[0, 0, :2] = [100 - second, second]
    assert f"; {many} of them" in sections.tail_section(make(counts)).text


def test_tail_names_what_never_occurs():
    counts = np.zeros((2, 3, 4), dtype=int)
    counts[0, 0, 1] = 1
    figures = sections.tail_section(make(counts)).figures
    assert [figure.title for figure in figures] == ["States 1 to 1", "States that never occur"]
    assert figures[1].note == "lift, none, step on"


def test_long_tail_stands_in_two_charts_of_one_scale():
    taxonomy = Taxonomy(TAXONOMY.parts, tuple(f"s{i}" for i in range(13)), TAXONOMY.actions, TAXONOMY.objects)
    counts = np.zeros((2, 3, 13), dtype=int)
    counts[0, 0] = np.arange(13, 0, -1)
    first, second = sections.tail_section(make(counts, taxonomy=taxonomy)).figures
    assert (first.title, second.title) == ("States 1 to 7", "States 8 to 13")
    widths = [float(rect.get("width")[:-1]) for rect in ElementTree.fromstring(str(second.chart)).findall("g/rect")]
    assert widths[0] == pytest.approx(64 * np.log(7) / np.log(14), abs=0.01)  # 6 parts beside at most 13


def test_pairs_without_the_state_that_says_nothing(pairs):
    section = sections.pairs_section(make(pairs))
    assert "The state none, 78 % of all parts, is left out." in section.text  # 80 of 102
    assert texts(section.figures[0]) == ["L arm: bend", "10 %", "L arm: lift", "5.0 %", "R arm: bend", "5.0 %"]
    assert texts(section.figures[1]) == ["head: step on", "100 %"]


def test_pairs_of_a_list_without_none(pairs):
    taxonomy = Taxonomy(TAXONOMY.parts, ("sit", "bend", "lift", "step_on"), TAXONOMY.actions)
    section = sections.pairs_section(make(pairs, taxonomy=taxonomy))
    assert "left out" not in section.text and texts(section.figures[0])[0] == "head: sit"


def test_statistics_are_not_changed(pairs):
    statistics = make(pairs)
    before = statistics.pairs.copy()
    sections.chart_sections(statistics)
    assert (statistics.pairs == before).all()


def test_objects():
    section = sections.objects_section(make(objects=(3, 0, 1)))
    assert texts(section.figures[0]) == ["bat", "3 (75 %)", "not in the list", "1 (25 %)"]
    assert section.text.startswith("4 boxes of 1 of the 2 objects in the list.")


def test_many_objects_stand_in_two_charts():
    taxonomy = Taxonomy(TAXONOMY.parts, TAXONOMY.states, TAXONOMY.actions, tuple(f"o{i}" for i in range(9)))
    section = sections.objects_section(make(objects=[*range(9, 0, -1), 0], taxonomy=taxonomy))
    assert [figure.title for figure in section.figures] == ["Objects 1 to 5", "Objects 6 to 9"]
    assert texts(section.figures[1])[0] == "o5"


def test_no_objects():
    section = sections.objects_section(make())
    assert section.text == "None is annotated." and section.figures == []


def test_sizes():
    section = sections.sizes_section(make())
    assert "persons are 25 % small, 50 % medium, 25 % large; parts are 0 % small" in section.text
    assert texts(section.figures[0])[:2] == ["person", "4 · 16 · 64 px"] and "no box" in texts(section.figures[0])
    assert texts(section.figures[1])[::5] == ["0 %", "25 %", "50 %", "75 %", "100 %"]


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 %"), (0.09, "< 0.1 %"), (0.1, "0.1 %"), (9.94, "9.9 %"), (10, "10 %"), (100, "100 %")]
)
def test_percent(count, told):
    assert sections._percent(count, 100) == told


def test_percent_of_nothing():
    assert sections._percent(0, 0) == "0 %"


@pytest.mark.parametrize(("counts", "expected"), [([1, 3, 3, 0], [1, 2, 0]), ([0, 0], []), ([], []), ([5], [0])])
def test_highest(counts, expected):
    assert sections._highest(np.array(counts, dtype=int), 3) == expected
