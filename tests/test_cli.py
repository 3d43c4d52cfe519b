from __future__ import annotations

import argparse

import pytest

from tpsparse import cli
from tpsparse.errors import InputError, UnwritableError


def give(status):
    def main(argv):
        if isinstance(status, BaseException):
            raise status
        return status

    return main


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("RANK", cli.STATUS_FILE):
        monkeypatch.delenv(name, raising=False)


class TestRun:
    @pytest.mark.parametrize("status", [cli.DONE, cli.FAILED, cli.SOME_SKIPPED])
    def test_status(self, status):
        assert cli.run(give(status)) == status

    def test_input_error_is_one_line(self, capsys):
        assert cli.run(give(InputError("a.mp4 is empty: replace it"))) == 2
        assert capsys.readouterr().err == "error: a.mp4 is empty: replace it\n"

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (PermissionError(13, "Permission denied", "/etc/x"), "/etc/x: Permission denied"),
            (OSError(28, "No space left on device"), "No space left on device: make room there"),
            (
                UnwritableError(28, "No space left on device", "/x y"),
                "/x y cannot be written (No space left on device): make room there",
            ),
            (OSError("it broke"), "it broke"),
        ],
    )
    def test_file_error_is_one_line(self, capsys, error, told):
        assert cli.run(give(error)) == 2
        assert capsys.readouterr().err == f"error: {told}\n"

    def test_other_errors_are_not_hidden(self):
        with pytest.raises(ValueError):
            cli.run(give(ValueError("a bug")))

    def test_interrupted(self, capsys):
        assert cli.run(give(KeyboardInterrupt())) == 130
        assert "run the same command again" in capsys.readouterr().err

    def test_arguments_are_passed_on(self):
        seen = []
        cli.run(lambda argv: seen.append(argv) or 0, ["--a"])
        assert seen == [["--a"]]


class TestSeveralProcesses:
    """Skipped items must not look like a crash to the launcher."""

    @pytest.mark.parametrize(("rank", "status"), [("0", 3), ("1", 0)])
    def test_without_a_file(self, monkeypatch, rank, status):
        monkeypatch.setenv("RANK", rank)
        assert cli.run(give(cli.SOME_SKIPPED)) == status

    @pytest.mark.parametrize(
        ("rank", "given", "status", "told"), [("0", 3, 0, "3"), ("1", 3, 0, ""), ("0", 2, 2, "2"), ("0", 0, 0, "")]
    )
    def test_with_the_file_of_the_script(self, monkeypatch, tmp_path, rank, given, status, told):
        file = tmp_path / "status"
        file.touch()
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv(cli.STATUS_FILE, str(file))
        assert cli.run(give(given)) == status and file.read_text() == told


def test_config_options():
    parser = argparse.ArgumentParser()
    cli.add_config_options(parser)
    assert vars(parser.parse_args([])) == {"work_dir": None, "cfg_options": {}}
    args = parser.parse_args(["--cfg-options", "a.b=3", "c=[1, 2]", "d=own data (1)", "e='x'"])
    assert args.cfg_options == {"a.b": 3, "c": [1, 2], "d": "own data (1)", "e": "x"}


@pytest.mark.parametrize(
    ("item", "told"),
    [("foo", "foo is not K=V"), ("=3", "=3 is not K=V"), ("a=[1,(2]", "a=[1,(2] has a bracket too many or too few")],
)
def test_config_option_that_is_none(capsys, item, told):
    parser = argparse.ArgumentParser()
    cli.add_config_options(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--cfg-options", "b=1", item])
    last = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2 and f"error: argument --cfg-options: {told}" in last


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [(cli.positive, ["1", "12"], ["0", "-1", "x", "1.5", ""]), (cli.not_negative, ["0", "7"], ["-1", "x", "\u00b2"])],
)
def test_numbers(kind, good, bad):
    assert [kind(text) for text in good] == [int(text) for text in good]
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number"):
            kind(text)


def test_folder(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "new" / "folder"):
        assert cli.folder(str(path)) == str(path)
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(argparse.ArgumentTypeError, match="file is not a folder"):
            cli.folder(str(path))


@pytest.mark.parametrize("given", [["--launcher", "slurm"], ["--local-rank", "1"], ["--local_rank=1"], []])
def test_launcher_options(given):
    parser = argparse.ArgumentParser()
    cli.add_launcher(parser)
    assert parser.parse_args(given).launcher in ("slurm", "none")


def test_print_metrics(capsys):
    cli.print_metrics({"score": 0.123456, "videos": 3, "name": "dap"})
    assert capsys.readouterr().out == "score   0.1235\nvideos  3\nname    dap\n"
    cli.print_metrics({})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("grouped", [True, False])
def test_processes_end_together(monkeypatch, grouped):
    from torch import distributed

    calls: list[str] = []
    monkeypatch.setattr(distributed, "is_initialized", lambda: grouped)
    monkeypatch.setattr(distributed, "barrier", lambda: calls.append("barrier"))
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: calls.append("destroy"))
    cli.run(give(cli.DONE))
    assert calls == (["barrier", "destroy"] if grouped else [])
    calls.clear()
    cli.run(give(InputError("x is missing: restore it")))
    assert calls == []  # the others may never come
