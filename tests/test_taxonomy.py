from __future__ import annotations

import re

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

# The official order, so that pairs are at (2, 3), (4, 5), (6, 7), (8, 9).
PARTS = (
    "head",
    "hip",
    "left_arm",
    "right_arm",
    "left_hand",
    "right_hand",
    "left_leg",
    "right_leg",
    "left_foot",
    "right_foot",
)


def make_taxonomy(**changes) -> Taxonomy:
    given = {"parts": PARTS, "states": ("none", "bend"), "actions": ("hurling_(sport)", "snatch"), **changes}
    return Taxonomy(**given)


def write_lists(root, *, skip: str = ""):
    lists = {"body_part.txt": PARTS, "part_stat.txt": ("none", "bend"), "object.txt": ("none", "barbell")}
    (root / "list").mkdir()
    for name, names in lists.items():
        if name != skip:
            (root / "list" / name).write_text("\n".join(names) + "\n", encoding="utf-8")
    for action in ("snatch", "hurling_(sport)"):
        (root / "train_videos" / action).mkdir(parents=True)
    return root


def test_ids_are_positions():
    taxonomy = make_taxonomy(objects=("none", "barbell"))
    assert taxonomy.part_ids["left_arm"] == 2
    assert taxonomy.state_ids == {"none": 0, "bend": 1}
    assert taxonomy.action_ids == {"hurling_(sport)": 0, "snatch": 1}
    assert taxonomy.object_ids == {"none": 0, "barbell": 1}


def test_flip_swaps_pairs_and_is_its_own_inverse():
    flip = make_taxonomy().flip_parts
    assert flip.tolist() == [0, 1, 3, 2, 5, 4, 7, 6, 9, 8]
    assert (flip[flip] == np.arange(10)).all()


def test_flip_follows_names_not_places():
    taxonomy = make_taxonomy(parts=("right_arm", "head", "left_arm"))
    assert taxonomy.flip_parts.tolist() == [2, 1, 0]


def test_groups_join_left_and_right():
    groups = make_taxonomy().part_groups
    assert groups == {"head": [0], "hip": [1], "arm": [2, 3], "hand": [4, 5], "leg": [6, 7], "foot": [8, 9]}


def test_meta_round_trip_gives_an_equal_taxonomy():
    taxonomy = make_taxonomy(objects=("none",))
    meta = taxonomy.to_meta()
    assert meta["actions"] == ["hurling_(sport)", "snatch"]
    assert Taxonomy.from_meta(meta) == taxonomy


def test_lists_become_tuples():
    assert make_taxonomy(parts=list(PARTS)).parts == PARTS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": ("none", "bend", "none")}, "states repeat none"),
        ({"parts": ()}, "no parts"),
        ({"states": ()}, "no states"),
        ({"actions": ()}, "no actions"),
        ({"parts": ("head", "left_arm")}, "left_arm have no mirrored twin"),
        ({"parts": ("right_leg",)}, "right_leg have no mirrored twin"),
    ],
)
def test_unusable_names_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        make_taxonomy(**changes)


def test_objects_may_be_empty():
    assert make_taxonomy().objects == ()


def test_from_root_reads_lists_and_sorts_actions(tmp_path):
    taxonomy = Taxonomy.from_root(write_lists(tmp_path))
    assert taxonomy.parts == PARTS
    assert taxonomy.states == ("none", "bend")
    assert taxonomy.objects == ("none", "barbell")
    assert taxonomy.actions == ("hurling_(sport)", "snatch")


def test_from_root_passes_over_files_and_hidden_folders(tmp_path):
    root = write_lists(tmp_path)
    (root / "train_videos" / ".ipynb_checkpoints").mkdir()
    (root / "train_videos" / "notes.txt").write_text("x")
    assert Taxonomy.from_root(root).actions == ("hurling_(sport)", "snatch")


def test_blank_lines_spaces_windows_ends_and_byte_order_mark_do_not_matter(tmp_path):
    root = write_lists(tmp_path)
    (root / "list" / "part_stat.txt").write_bytes(b"\xef\xbb\xbfnone\r\n\r\n bend \r\n")
    assert Taxonomy.from_root(root).states == ("none", "bend")


@pytest.mark.parametrize("name", ["body_part.txt", "part_stat.txt", "object.txt"])
def test_missing_list_is_named(tmp_path, name):
    with pytest.raises(InputError, match=re.escape(name)):
        Taxonomy.from_root(write_lists(tmp_path, skip=name))


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_empty_list_is_named(tmp_path, content):
    root = write_lists(tmp_path)
    (root / "list" / "part_stat.txt").write_bytes(content)
    with pytest.raises(InputError, match=r"part_stat\.txt is empty"):
        Taxonomy.from_root(root)


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_the_list_of_objects_may_be_empty(tmp_path, content):
    root = write_lists(tmp_path)
    (root / "list" / "object.txt").write_bytes(content)
    assert Taxonomy.from_root(root).objects == ()


def test_list_in_another_encoding_is_named(tmp_path):
    root = write_lists(tmp_path)
    (root / "list" / "object.txt").write_bytes("café\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"object\.txt is not UTF-8"):
        Taxonomy.from_root(root)


def test_missing_and_empty_action_folders_are_told_apart(tmp_path):
    root = write_lists(tmp_path)
    for action in ("snatch", "hurling_(sport)"):
        (root / "train_videos" / action).rmdir()
    with pytest.raises(InputError, match="no action folders"):
        Taxonomy.from_root(root)
    (root / "train_videos").rmdir()
    with pytest.raises(InputError, match="train_videos is missing"):
        Taxonomy.from_root(root)
