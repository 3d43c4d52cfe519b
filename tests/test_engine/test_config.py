from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tpsparse.engine import config_taxonomy, load_config
from tpsparse.errors import InputError
from tpsparse.structures import LabelTable
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "hip"), states=("none",), actions=("a", "b", "c"), objects=("ball",))


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "run.py") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


class TestWords:
    @pytest.mark.parametrize(
        ("word", "value"),
        [
            ("@num_parts", 2),
            ("@num_states", 1),
            ("@num_actions", 3),
            ("@num_objects", 1),
            ("@num_parts_and_objects", 3),
        ],
    )
    def test_sizes(self, write, word, value):
        assert load_config(write(f"count = '{word}'"), taxonomy=NAMES).count == value

    @pytest.mark.parametrize(
        ("value", "uses"),
        [("@num_objects", True), ("@num_parts_and_objects", True), ("@num_parts", None), ("@taxonomy", None)],
    )
    def test_who_counts_objects_is_kept(self, write, tmp_path, value, uses):
        cfg = load_config(write(f"model = dict(head=dict(count='{value}'))"), taxonomy=NAMES)
        assert cfg.get("uses_objects") == uses
        cfg.dump(tmp_path / "dumped.py")
        assert load_config(tmp_path / "dumped.py").get("uses_objects") == uses

    def test_without_objects_only_parts_count(self, write):
        names = Taxonomy(NAMES.parts, NAMES.states, NAMES.actions)
        assert load_config(write("count = '@num_parts_and_objects'"), taxonomy=names).count == 2

    def test_names(self, write):
        cfg = load_config(write("names = '@taxonomy'"), taxonomy=NAMES)
        assert Taxonomy.from_meta(cfg.names) == NAMES == config_taxonomy(cfg)

    def test_everywhere(self, write):
        text = "a = dict(b=[dict(c='@num_parts'), ('@num_actions', dict(d='@num_actions'))], e=('x', ['@num_parts']))"
        cfg = load_config(write(text), taxonomy=NAMES)
        assert cfg.a.to_dict() == {"b": [{"c": 2}, (3, {"d": 3})], "e": ("x", [2])}

    def test_folders(self, write):
        text = (
            "data_root = 'data/set'\nparses_dir = 'p'\nfiles = ['@data_root', '@work_dir/sub/x', '@parses_dir/train']"
        )
        cfg = load_config(write(text), taxonomy=NAMES, work_dir="work")
        assert cfg.files == ["data/set", "work/sub/x", "p/train"]

    def test_other_text_is_left(self, write):
        cfg = load_config(write("mail = 'a@num_parts'\nempty = ''\nnumber = 3"), taxonomy=NAMES)
        assert (cfg.mail, cfg.empty, cfg.number) == ("a@num_parts", "", 3)

    @pytest.mark.parametrize("word", ["@num_part", "@parses_dir/train", "@"])
    def test_unknown(self, write, word):
        with pytest.raises(InputError, match=f"config word {word.split('/')[0]} is not known: use one of .*@num_parts"):
            load_config(write(f"count = '{word}'"), taxonomy=NAMES)


class TestLabels:
    """``@label_table`` and ``@num_labels``. The arms of the drawn data set have four labels in segments of 0.6 s."""

    TEXT = (
        "data_root = 'absent'\ntrain_split = 'train'\ngroup = 'head'\nseconds = 0.6\n"
        "data = dict(group='@group', cut=dict(seconds='@seconds'), table='@label_table')\nhead = ['@num_labels']\n"
    )
    ARMS = (("lunge", "bend"), ("pull_ups", "bend"), ("pull_ups", "lift"), ("push_up", "bend"))

    def test_derived_from_the_training_data(self, write, tiny_root):
        path = write(self.TEXT)
        heads = [["lunge", "none"], ["pull_ups", "none"], ["push_up", "none"]]
        for group, labels in (("head", heads), ("arm", [list(pair) for pair in self.ARMS])):
            cfg = load_config(path, options={"data_root": str(tiny_root), "group": group})
            assert cfg.data.to_dict() == {
                "group": group,
                "cut": {"seconds": 0.6},
                "table": {"group": group, "seconds": 0.6, "labels": labels},
            }
            assert cfg.head == [len(labels)] and cfg.label_table == cfg.data.table

    def test_whole_videos(self, write, tiny_root):
        cfg = load_config(write(self.TEXT), options={"data_root": str(tiny_root), "group": "arm", "seconds": None})
        # Bent 8 times, lifted 4 + 9 times in all of pull_ups.
        labels = [["lunge", "bend"], ["pull_ups", "lift"], ["push_up", "bend"]]
        assert cfg.data.table == {"group": "arm", "seconds": None, "labels": labels} and cfg.data.cut.seconds is None

    def test_of_a_named_split(self, write, tiny_copy):
        (tiny_copy / "splits").mkdir()
        (tiny_copy / "splits" / "one.json").write_text('{"subsets": {"train": ["lunge/lunge_train_0.mp4"]}}')
        options = {"data_root": str(tiny_copy), "group": "arm", "train_split": "one/train"}
        assert load_config(write(self.TEXT), options=options).head == [1]

    def test_given(self, write):
        table = LabelTable("head", 3.0, (("a", "none"),)).to_meta()
        cfg = load_config(write(self.TEXT), taxonomy=NAMES, label_table=table)
        assert cfg.data.table.to_dict() == table == cfg.label_table.to_dict() and cfg.head == [1]

    @pytest.mark.parametrize("empty", [[], {}])
    def test_none_known(self, write, empty):
        cfg = load_config(write(self.TEXT), taxonomy=NAMES, label_table=empty)
        assert cfg.data.table == cfg.label_table == {} and cfg.head == [0]

    def test_configs_without_the_words_need_no_data(self, write):
        cfg = load_config(write("data_root = 'absent'\ngroup = 'head'\nseconds = 3.0\na = '@group'"), taxonomy=NAMES)
        assert cfg.a == "head" and "label_table" not in cfg

    def test_what_is_dumped_is_read_as_it_is(self, write, tiny_root, tmp_path):
        cfg = load_config(write(self.TEXT), options={"data_root": str(tiny_root), "group": "arm"})
        cfg.dump(tmp_path / "dumped.py")
        again = load_config(tmp_path / "dumped.py", options={"data_root": "gone"})
        assert again.data == cfg.data and again.label_table == cfg.label_table and again.head == [4]

    @pytest.mark.parametrize(
        ("text", "lacking"),
        [("seconds = 3.0", "group"), ("group = 'arm'", "seconds"), ("", "group and seconds")],
    )
    def test_without_group_or_seconds(self, write, text, lacking):
        path = write(f"data_root = 'absent'\n{text}\na = '@num_labels'")
        with pytest.raises(InputError, match=rf"run\.py asks for labels without {lacking}: give them at its top level"):
            load_config(path, taxonomy=NAMES)

    def test_nothing_of_the_group(self, write, tiny_copy, tiny_root):
        with pytest.raises(InputError, match="has no part group foot: use one of head, arm"):
            load_config(write(self.TEXT), options={"data_root": str(tiny_root), "group": "foot"})
        for file in (tiny_copy / "train_annotations").rglob("*.json"):
            file.write_text("{}")
        with pytest.raises(InputError, match=r"\(train\) has no annotated part of group head: annotate it or use"):
            load_config(write(self.TEXT), options={"data_root": str(tiny_copy)})


class TestFiles:
    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"absent\.py is missing: see configs/"):
            load_config(tmp_path / "absent.py")

    @pytest.mark.parametrize(
        "text",
        ["a = (", "import absent_module", "_base_ = ['absent.py']", "1 / 0"],
        ids=["syntax", "import", "base", "error"],
    )
    def test_broken(self, write, text):
        with pytest.raises(InputError, match=r"run\.py cannot be read: ") as error:
            load_config(write(text), taxonomy=NAMES)
        assert "\n" not in str(error.value)

    def test_without_data_root(self, write):
        with pytest.raises(InputError, match=r"run\.py has no data_root: give one with --cfg-options data_root=DIR"):
            load_config(write("a = 1"))

    @pytest.mark.parametrize("name", ["body_part.txt", "part_stat.txt", "object.txt"])
    def test_missing_list(self, write, tiny_copy, name):
        (tiny_copy / "list" / name).unlink()
        with pytest.raises(InputError, match=f"list/{name} is missing"):
            load_config(write("a = 1"), options={"data_root": str(tiny_copy)})

    def test_missing_training_videos(self, write, tiny_copy):
        shutil.rmtree(tiny_copy / "train_videos")
        with pytest.raises(InputError, match="train_videos is missing"):
            load_config(write("a = 1"), options={"data_root": str(tiny_copy)})

    def test_names_come_from_the_data(self, write, tiny_root, tiny_taxonomy):
        cfg = load_config(write("data_root = 'absent'\ncount = '@num_actions'"), options={"data_root": str(tiny_root)})
        assert cfg.count == 3 and config_taxonomy(cfg) == tiny_taxonomy


class TestOptions:
    def test_override(self, write):
        text = "model = dict(size=1, list=[dict(a=1), dict(a=2)])"
        options = {"model.size": 5, "model.list.1.a": 7, "new.key": "@num_parts"}
        cfg = load_config(write(text), options=options, taxonomy=NAMES)
        assert cfg.model.to_dict() == {"size": 5, "list": [{"a": 1}, {"a": 7}]} and cfg.new.key == 2

    @pytest.mark.parametrize("key", ["model.list.4.a", "model.size.x", "model.list.x.a"])
    def test_key_that_does_not_fit(self, write, key):
        with pytest.raises(InputError, match=r"run\.py cannot take the options .*--cfg-options") as error:
            load_config(write("model = dict(size=1, list=[dict(a=1)])"), options={key: 3}, taxonomy=NAMES)
        assert "\n" not in str(error.value)

    def test_work_dir(self, write):
        path = write("work_dir = 'own'\n", "with.py")
        assert load_config(path, taxonomy=NAMES).work_dir == "own"
        assert load_config(path, taxonomy=NAMES, work_dir="given").work_dir == "given"
        assert load_config(write("a = 1", "name.py"), taxonomy=NAMES).work_dir == "work_dirs/name"


def test_stage_without_checkpoint_takes_that_of_its_run(write):
    stages = "dict(type='A', config='x/net_one.py'), dict(type='B'), dict(type='C', config='y.py', checkpoint='c.pth')"
    cfg = load_config(write(f"model = dict(stages=[{stages}])"), taxonomy=NAMES, work_dir="work")
    assert [stage.get("checkpoint") for stage in cfg.model.stages] == ["work/net_one", None, "c.pth"]


def test_given_weights_are_those_of_the_network_of_that_name(write):
    stages = "dict(type='A', config='x/one.py'), dict(type='A', config='x/one.py', train_options=dict(group='arm'))"
    path = write(f"model = dict(stages=[{stages}, dict(type='C', config='one.py', checkpoint='own.pth')])")
    options = {"given_weights": {"one": "elsewhere/epoch_4.pth", "two": "of_nobody.pth"}}
    cfg = load_config(path, taxonomy=NAMES, work_dir="work", options=options)
    assert [stage.checkpoint for stage in cfg.model.stages] == ["elsewhere/epoch_4.pth", "work/one-arm", "own.pth"]


class TestStages:
    def test_a_list_among_stages_stands_for_its_members(self, tmp_path, tiny_taxonomy):
        path = tmp_path / "system.py"
        rows = "states = [dict(type='B', name='x'), dict(type='B', name='y')]\n"
        path.write_text(rows + "model = dict(stages=[dict(type='A'), states, dict(type='C')])\n")
        cfg = load_config(path, taxonomy=tiny_taxonomy)
        assert [stage.get("name", stage.type) for stage in cfg.model.stages] == ["A", "x", "y", "C"]

    def test_checkpoint_is_named_by_config_and_train_options(self, tmp_path, tiny_taxonomy):
        path = tmp_path / "system.py"
        given = [
            "config='a/csn.py'",
            "config='a/csn.py', train_options=dict(group='arm')",
            "config='b.py', checkpoint='c'",
        ]
        path.write_text(f"model = dict(stages=[{', '.join(f'dict({keys})' for keys in given)}])\n")
        cfg = load_config(path, taxonomy=tiny_taxonomy, work_dir="runs")
        assert [stage.checkpoint for stage in cfg.model.stages] == ["runs/csn", "runs/csn-arm", "c"]
