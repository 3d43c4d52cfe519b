from __future__ import annotations

import pytest

from tpsparse.language.words import spoken, spoken_all


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bend", "bend"),
        ("left_arm", "left arm"),
        ("step_on", "step on"),
        ("hurling_(sport)", "hurling sport"),
        ("ball[red]{small}", "ball red small"),
        ("__two  spaces_", "two spaces"),
        ("Pétanque_Ball", "Pétanque Ball"),
        ("t-shirt", "t-shirt"),
        ("_()_", ""),
        ("", ""),
    ],
)
def test_words_of_a_name(name, words):
    assert spoken(name) == words


def test_given_words_replace_the_name():
    given = {"step_on": "step_onto", "bend": "fold (up)"}
    assert spoken_all(["step_on", "bend", "lift"], given) == ["step onto", "fold up", "lift"]
