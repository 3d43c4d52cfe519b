"""Where language models are, without running one."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tpsparse.errors import InputError
from tpsparse.language import models
from tpsparse.language.models import ModelIdentity, find_model, identify, short_name

FILES = ("config.json", "vocab.txt", "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files under the names of a model's: nothing here reads them."""
    place = tmp_path / "my model"
    place.mkdir()
    for name in FILES:
        (place / name).write_text(name)
    return place


def test_directory(folder: Path) -> None:
    assert find_model(str(folder)) == folder
    assert identify(str(folder)) == ModelIdentity("my model", hashlib.sha256(b"model.safetensors").hexdigest())


def test_older_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert find_model(str(folder)) == folder
    assert identify(str(folder)).digest == hashlib.sha256(b"model.safetensors").hexdigest()


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("config.json", "has no config.json, so"),
        ("vocab.txt", "has no tokenizer.json or vocab.txt, so"),
        ("model.safetensors", "has no model.safetensors or pytorch_model.bin, so"),
    ],
)
def test_incomplete_directory(folder: Path, missing: str, told: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"my model {told} it is no whole language model: fetch it again"):
        find_model(str(folder))


@pytest.mark.parametrize("name", ["./none", "/none/such", "~/none such", "a/b/c"])
def test_directory_that_is_not_there(name: str) -> None:
    with pytest.raises(InputError, match=f"^{name} is not a directory: give that of a language model"):
        find_model(name)


def test_names() -> None:
    assert short_name("google-bert/bert-base-uncased") == "bert-base-uncased"
    assert identify("google-bert/bert-base-uncased").name == "google-bert/bert-base-uncased"
    assert identify("/none/such/model") == ModelIdentity("model")
    assert identify("no name of a model?") == ModelIdentity("no name of a model?")


def test_what_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: run make language")

    def refuse(*_: object, **__: object) -> str:
        raise OSError("no network\nand more")

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    told = r"language model bert/none cannot be fetched \(no network\): check name and network, or give a directory"
    with pytest.raises(InputError, match=told):
        find_model("bert/none")


def test_fetched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Weights of the older kind are asked for only where there are no others."""
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: run make language")
    asked: list[list[str]] = []

    def fetch(name: str, *, allow_patterns: list[str]) -> str:
        asked.append(allow_patterns)
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", fetch)
    assert find_model("owner/name") == folder and len(asked) == 1
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert find_model("owner/name") == folder and len(asked) == 3
    assert "model.safetensors" in asked[1] and "pytorch_model.bin" in asked[2]


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.PACKAGED, "my-model", "no_such_package_of_a_model")
    with pytest.raises(InputError, match="language model my-model is not installed: run make language"):
        find_model("my-model")
    assert identify("my-model") == ModelIdentity("my-model")


def test_light_to_import(environment) -> None:
    """Reading stored vectors asks for neither torch nor the libraries of language models."""
    code = (
        "import sys, tpsparse.language; print([n for n in ('torch', 'transformers', 'mmengine') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
