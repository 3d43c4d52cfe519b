"""tools/analysis/get_flops.py."""

from __future__ import annotations

import json

import pytest
import tiny_tapos
from tiny import QUICK, QUICK_SYSTEM, quick_config

NAME = "analysis/get_flops"


def test_networks(run_tool, tiny_root, tmp_path, capsys, find_leftovers):
    file = tmp_path / "a (b) ü.json"
    configs = [quick_config("feature_fusion"), quick_config("part_parsing")]
    assert run_tool(NAME, *configs, "--data-root", tiny_root, "--json", file) == 0
    fusion, parts = json.loads(file.read_text(encoding="utf-8"))
    assert (fusion["config"], fusion["unit"], parts["unit"]) == (configs[0].stem, "video", "person")
    assert parts["flops"] == 2 * parts["multiply_adds"] > 0
    assert sum(view["multiply_adds"] * view["views"] for view in parts["views"]) == parts["multiply_adds"]
    out = capsys.readouterr().out
    # Names are whole, however long; rows have their numbers.
    assert f"1  {configs[0].stem}\n2  {configs[1].stem}\n" in out
    rows = [line.split("│")[1].strip() for line in out.splitlines() if line.startswith("│")]
    assert rows[0] == "1" and "2" in rows
    assert f"{parts['parameters'] / 1e6:.2f}" in out and "3x128x96" in out
    assert "Kinetics-TPS" not in out and find_leftovers(tmp_path) == []


def test_shape(run_tool, tmp_path, capsys):
    sizes = []
    for shape in ((128, 96), (256, 192)):
        file = tmp_path / "flops.json"
        assert run_tool(NAME, quick_config("part_parsing"), "--shape", *shape, "--json", file) == 0
        [found] = json.loads(file.read_text())
        [view] = found["views"]
        assert view["input"] == [3, *shape] and view["views"] == 1
        sizes.append(found)
    assert sizes[0]["parameters"] == sizes[1]["parameters"]
    # Convolutions grow with the area; the linear layers on pooled features do not.
    assert 3.9 < sizes[1]["multiply_adds"] / sizes[0]["multiply_adds"] < 4


def test_instances(run_tool, tmp_path, capsys):
    """A parser counts by the instance, what makes its features by the frame."""
    root, file = tiny_tapos.write_instances(tmp_path / "data (é)"), tmp_path / "flops.json"
    configs = [QUICK / "temporal_parsing" / "tcn_synthetic.py", *(QUICK / "frame_features").glob("*.py")]
    assert run_tool(NAME, *configs, "--data-root", root, "--json", file) == 0
    parser, encoder = json.loads(file.read_text())
    assert (parser["unit"], encoder["unit"]) == ("instance", "frame")
    assert parser["views"] == [dict(input=[282, 256], multiply_adds=parser["multiply_adds"], views=1)]
    out = capsys.readouterr().out
    assert "282x256" in out and "3x64x64" in out and "numbers of names" not in out
    assert run_tool(NAME, configs[0], "--shape", 141, "--json", file) == 0
    [half] = json.loads(file.read_text())
    assert 2 * half["multiply_adds"] == parser["multiply_adds"]


def test_system(run_tool, tiny_root, tmp_path, capsys):
    file = tmp_path / "flops.json"
    assert run_tool(NAME, QUICK_SYSTEM, "--data-root", tiny_root, "--persons", 2, "--json", file) == 0
    [system] = json.loads(file.read_text())
    of = {
        unit: [s["multiply_adds"] for s in system["stages"] if s["unit"] == unit]
        for unit in ("frame", "person", "video")
    }
    assert system["multiply_adds_a_frame"] == of["frame"][0] + 2 * of["person"][0]
    assert system["multiply_adds_a_video"] == sum(of["video"]) and len(of["video"]) == 3
    assert system["parameters"] == sum(stage["parameters"] for stage in system["stages"])
    out = capsys.readouterr().out
    assert all(f"{i}  {stage['config']}\n" in out for i, stage in enumerate(system["stages"], start=1))
    assert "frame of 2 persons" in out and "video, besides frames" in out


def test_second_of_video(run_tool, tiny_root, tmp_path, capsys):
    file = tmp_path / "flops.json"
    options = ["--persons", 2, "--fps", 10, "--step", 5, "--duration", 4, "--json", file]
    assert run_tool(NAME, QUICK / "systems" / "pcf.py", "--data-root", tiny_root, *options) == 0
    [system] = json.loads(file.read_text())
    assert system["video"] == dict(fps=10.0, duration=4.0, persons=2, step=5)
    rates = {stage["stage"]: stage["inputs_a_second"] for stage in system["by_stage"]}
    assert (rates["DetectPersons"], rates["ParseParts"], rates["csn_ip"]) == (2, 4, 1 / 4)
    assert rates["ip_3s_arm"] == pytest.approx(1 / 3) and rates["GrowBoxes"] == 0
    whole = sum(stage["multiply_adds_a_second"] for stage in system["by_stage"])
    assert system["multiply_adds_a_second"] == whole
    cuts = {stage["stage"]: stage["cut"] for stage in system["by_stage"]}
    assert (cuts["ip_3s_arm"], cuts["csn_ip"], cuts["GrowBoxes"]) == (1, None, None)
    out = capsys.readouterr().out
    [row] = [line for line in out.splitlines() if "ip_3s_arm" in line]
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["0.33 segments", "1"]
    assert "a video of 4 s" in out and "0.33 segments" in out and f"{whole / 1e9:.2f}" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((QUICK_SYSTEM, "--shape", 64, 96), "is of a system, whose networks take other inputs: leave --shape out"),
        ((quick_config("part_parsing"), "--shape", 3, 64, 96), "takes an input of H W, not 3x64x96: correct --shape"),
        (
            (quick_config("part_parsing"), "--shape", 100, 96),
            "takes no input 3x100x96 (HRNet needs sides that are multiples of 32): correct --shape",
        ),
        (("configs/nowhere.py",), "error: config configs/nowhere.py is missing"),
        ((quick_config("part_parsing"), "--data-root", "nowhere"), "nowhere/list/body_part.txt is missing"),
    ],
    ids=["shape of a system", "wrong shape", "odd sides", "no config", "no data"],
)
def test_refused(run_tool, capsys, arguments, told):
    assert run_tool(NAME, *arguments) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


def test_names_of_kinetics_tps_are_told(run_tool, tmp_path, capsys):
    config = tmp_path / "parts.py"
    config.write_text(f"_base_ = {str(quick_config('part_parsing'))!r}\ndata_root = 'nowhere'\n")
    assert run_tool(NAME, config) == 0
    assert "numbers of names: those of Kinetics-TPS, or of TAPOS" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--fps", "--duration"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x"])
def test_what_no_video_has(run_tool, capsys, option, value):
    with pytest.raises(SystemExit):
        run_tool(NAME, QUICK_SYSTEM, f"{option}={value}")
    assert f"argument {option}: " in capsys.readouterr().err
