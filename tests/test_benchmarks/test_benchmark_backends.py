from __future__ import annotations

import json

import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def backends(benchmark):
    return benchmark("backends")


def test_quick_run(backends, tmp_path, capsys):
    file, ways = tmp_path / "out.json", ["torch", "torch cl fused"]
    arguments = ["--quick", "--threads", "1", "--data", tmp_path, "--json", file, "--ways", *ways]
    assert run(backends.main, [str(each) for each in arguments]) == DONE
    written = json.loads(file.read_text())
    assert written["threads"] == 1 and list(written["rounds"]) == list(backends.QUICK)
    for clock in backends.CLOCKS:
        rows = written["tables"][f"A test step by how the network is run, by {clock}"]
        assert [row["network"] for row in rows] == list(backends.QUICK)
        assert all(row["torch, s an item"] > 0 and row["fastest"] in ways for row in rows)
    assert "by processor time" in capsys.readouterr().out


def test_a_row_by_hand(backends):
    rounds = {
        "torch": [{"the clock": 2.0}, {"the clock": 4.0}, {"the clock": 40.0}],
        "onnx": [{"the clock": 1.0}, {"the clock": 1.0}, {"the clock": 40.0}],
    }
    expected = {"network": "a", "batch": 2, "torch, s an item": 2.0, "onnx": 0.5, "fastest": "onnx"}
    assert backends.row_of("a", 2, "the clock", rounds) == expected


def test_every_config_is_there(backends):
    for case in (*backends.CASES.values(), *backends.QUICK.values()):
        assert (backends.CONFIGS / case.config).is_file()


def test_a_detector_gets_frames_of_its_size(backends):
    quick = "quick/person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py"
    case = backends.Case(quick, (1,), (96, 160))
    network = backends.open_network(case)
    [item, other] = backends.make_items(network, case, 2)
    assert item is other and item["inputs"].shape == (3, 96, 160)
