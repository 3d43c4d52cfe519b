from __future__ import annotations

import pytest

from tpsparse.analysis.findings import EXAMPLES, LONGEST, read_findings
from tpsparse.datasets.index import build_index
from tpsparse.datasets.index.checks import KINDS
from tpsparse.errors import InputError

HEAD = "severity,kind,split,action,video,frame,file,key,value,message\n"


def row(kind="missing-frame", severity="error", file="f.json", key="", value="", message="is missing") -> str:
    return f'{severity},{kind},train,lunge,v.mp4,1,{file},{key},{value},"{message}"\n'


def write(folder, *rows: str):
    path = folder / "problems.csv"
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def test_counted_by_kind_errors_first(tmp_path):
    path = write(
        tmp_path,
        *[row("no-part", "warning")] * 5,
        row("bad-part"),
        *[row("missing-frame")] * 3,
        row("unreadable-video"),
    )
    found = read_findings(path)
    assert [(finding.kind, finding.count) for finding in found] == [
        ("missing-frame", 3),
        ("bad-part", 1),
        ("unreadable-video", 1),
        ("no-part", 5),
    ]
    assert found[0].remedy == KINDS["missing-frame"].remedy and found[-1].severity == "warning"


def test_a_few_examples(tmp_path):
    path = write(tmp_path, *[row(file=f"img ({i}) ü.json") for i in range(EXAMPLES + 2)])
    [finding] = read_findings(path)
    assert finding.examples == [(f"img ({i}) ü.json", "is missing") for i in range(EXAMPLES)]


@pytest.mark.parametrize(
    ("key", "value", "message", "told"),
    [
        ("humans[0].box", "[1]", "is odd", "humans[0].box [1] is odd"),
        ("state", "moonwalk", "state 'moonwalk' is not in the list", "state 'moonwalk' is not in the list"),
        ("", "3", "is missing", "is missing"),
    ],
)
def test_key_and_value_are_told_once(tmp_path, key, value, message, told):
    [finding] = read_findings(write(tmp_path, row(key=key, value=value, message=message)))
    assert finding.examples[0][1] == told


def test_long_messages_are_cut(tmp_path):
    [exact, longer] = read_findings(
        write(tmp_path, row("bad-part", message="x" * LONGEST), row("bad-person", message="x" * (LONGEST + 1)))
    )
    assert exact.examples[0][1] == "x" * LONGEST and longer.examples[0][1] == "x" * (LONGEST - 1) + "…"


def test_kind_of_a_later_version(tmp_path):
    [finding] = read_findings(write(tmp_path, row("new-kind")))
    assert finding.remedy == "" and finding.count == 1


def test_nothing_found(tmp_path):
    assert read_findings(write(tmp_path)) == [] and read_findings(tmp_path / "none.csv") == []


@pytest.mark.parametrize("content", [b"kind\nx\n", b"severity,kind\n\xff,\xfe\n"])
def test_another_file(tmp_path, content):
    path = tmp_path / "problems.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="problems.csv cannot be read"):
        read_findings(path)


def test_of_a_spoiled_data_set(tiny_copy, spoil):
    told = spoil(tiny_copy)
    build_index(tiny_copy, workers=1, progress=False)
    found = read_findings(tiny_copy / "index" / "problems.csv")
    files = {file.rpartition("/")[2] for finding in found for file, _ in finding.examples}
    assert set(told) <= files and all(finding.remedy for finding in found)
