from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import time

import pytest
import tiny_tapos
from tiny import tool_environment

from tpsparse.datasets.instances import is_instance_root, names_at, open_instances
from tpsparse.errors import InputError

SOUND = dict(subset="train", shot_timestamps=None, total_frames=20, substages=[0, 8, 20])


def write(root, **entries):
    """Instances of one source video by the second at which they begin."""
    content = {"v": {f"s00001_{start[1:]}_0_{int(start[1:]) + 1}_0": given for start, given in entries.items()}}
    root.mkdir(exist_ok=True)
    (root / "tapos_annotation.json").write_text(json.dumps(content))
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tiny_tapos.write_instances(tmp_path_factory.mktemp("tapos") / "a (b) ü")


def test_subsets(root):
    train, val = open_instances(root, "train"), open_instances(str(root), "val")
    assert (len(train), len(val), len(train.problems)) == (6, 3, 0) and train.subset == "train" and train.root == root
    assert all(instance.fps == pytest.approx(25, abs=0.1) for instance in train.instances)
    assert [instance.key for instance in val.instances] == sorted(instance.key for instance in val.instances)


def test_actions_are_those_of_all_subsets(tmp_path):
    write(tmp_path, _0={**SOUND, "action": "vault"}, _2={**SOUND, "action": "beam", "subset": "val"}, _4=SOUND)
    train = open_instances(tmp_path, "train")
    assert train.actions == names_at(tmp_path) == ("beam", "vault")
    assert train.action_ids.tolist() == [1, -1] and train.action_ids.dtype == "int64"
    assert open_instances(tmp_path, "val").action_ids.tolist() == [0]


def test_numbers_are_in_their_own_order(tmp_path):
    entries = {f"_{number}": {**SOUND, "label": number} for number in (10, 9, 100)}
    assert names_at(write(tmp_path, **entries, _7={**SOUND, "label": "x"})) == ("9", "10", "100", "x")


def test_no_labels(tmp_path):
    index = open_instances(write(tmp_path, _0=SOUND), "train")
    assert index.actions == names_at(tmp_path) == ("unlabelled",) and index.action_ids.tolist() == [-1]


def test_what_is_left_out_is_a_problem_of_its_subset(tmp_path):
    broken = {**SOUND, "substages": [0, 25, 9, 9, 20]}
    write(tmp_path, _0=SOUND, _2=broken, _4={**broken, "subset": "val"}, _6={**SOUND, "substages": [0, 20]})
    index = open_instances(tmp_path, "train")
    assert len(index) == 2  # no boundary is odd, and used
    (problem,) = index.problems  # one an instance, however much is wrong
    assert problem.path == tmp_path / "tapos_annotation.json" and problem.skipped == "instance"
    assert problem.message.startswith("v/s00001_2_0_3_0 has a boundary at 25 of 20 frames: correct")


def test_no_usable_instance(tmp_path):
    write(tmp_path, _0=SOUND, _2={**SOUND, "subset": "val"}, _4={**SOUND, "subset": "test", "total_frames": 0})
    for subset in ("test", "dap/val"):
        told = f"{tmp_path} has no usable instance of subset {subset}: use one of train, val"
        with pytest.raises(InputError, match=re.escape(told)):
            open_instances(tmp_path, subset)


def test_the_video_of_an_instance(root, tmp_path):
    index = open_instances(tiny_tapos.write_instances(tmp_path), "val")
    instance = index.instances[0]
    path = tmp_path / "instances" / instance.youtube_id / f"{instance.name}.mp4"
    with pytest.raises(InputError, match=re.escape(f"{path} is missing") + ".*tools/prepare_data.py tapos cut"):
        index.video(instance)
    path.parent.mkdir(parents=True)
    path.touch()
    assert index.video(instance) == path


def test_digest_is_of_the_content(root, tmp_path):
    digest = open_instances(root, "train").digest()
    assert digest != open_instances(root, "val").digest() and re.fullmatch("[0-9a-f]{64}", digest)
    copy = tiny_tapos.write_instances(tmp_path / "copy")
    assert open_instances(copy, "train").digest() == digest
    path = copy / "tapos_annotation.json"
    content = json.loads(path.read_text())
    changed = content["video-0_é"].popitem()
    changed[1]["substages"][1] += 1
    content["video-0_é"][changed[0]] = changed[1]
    path.write_text(json.dumps(content))
    assert open_instances(copy, "train").digest() != digest
    assert open_instances(copy, "val").digest() == open_instances(root, "val").digest()


def test_another_process_reads_it_itself(root):
    index = open_instances(root, "val")
    again = pickle.loads(pickle.dumps(index))
    assert again.instances == index.instances and again.digest() == index.digest()
    assert len(pickle.dumps(index)) < 500


def test_which_folders_are_such_data_sets(root, tmp_path, tiny_root):
    assert is_instance_root(root) and is_instance_root(str(root))
    assert not is_instance_root(tmp_path) and not is_instance_root(tiny_root) and not is_instance_root("/nowhere")


def test_many_instances_open_fast(tmp_path):
    """As many as TAPOS has: 16,294; the bound is generous, the machine may be busy."""
    entry = {**SOUND, "action": "vault"}
    content = {f"v{n:05d}": {f"s00001_{i}_0_{i + 1}_0": entry for i in range(10)} for n in range(1630)}
    (tmp_path / "tapos_annotation.json").write_text(json.dumps(content))
    begun = time.process_time()
    assert len(open_instances(tmp_path, "train")) == 16_300
    assert time.process_time() - begun < 3


def test_light(tmp_path):
    """Tools that only read files do without torch."""
    modules = "tpsparse.datasets.instances.cutting, tpsparse.datasets.instances.validation"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=tool_environment(), cwd=tmp_path)
