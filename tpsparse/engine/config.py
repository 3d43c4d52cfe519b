"""Configs: read, overridden, and joined with what only the data and the command line know.

A config may hold these words in place of a value, so that no value is typed twice:

``@num_parts @num_states @num_actions @num_objects``
    the sizes of the vocabularies of the data set at ``data_root``, ``@num_parts_and_objects`` for the sum of two of
    them, and ``@taxonomy`` for the names themselves. A config in which one of the two with objects occurs has
    ``uses_objects`` afterwards: its network's weights are of one list of objects;
``@data_root``, ``@work_dir``, ``@out_dir`` and ``@parses_dir``, alone or followed by ``/...``
    the folders of this run: the data set, its networks, what a system writes (the work folder, or one in it of its own
    for a variant that shares its networks), and the saved parses that it trains on;
``@test_root``
    the data set that is tested on, where it is another than the one that gives the names and is trained on;
``@segments``
    the folder of the sub-actions that another network has found, which the config names in ``segments_from``: in the
    folder of that network's run, beside the work folder, with a file for each of this config's two splits;
``@train_split`` and ``@test_split``
    the videos that are trained and tested on: ``train``, ``test``, or a named split such as ``dap/val``;
``@runtime``
    how the networks of a system are run, see :class:`tpsparse.runtime.Runtime`;
``@group`` and ``@seconds``
    the part group whose states a recognizer tells, and the length of the segments in which it tells them;
``@label_table`` and ``@num_labels``
    what its outputs stand for and how many there are: the pairs of an action and the group's most frequent state in the
    segments of the training split. A network that is trained already brings its own, in the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..datasets import instances
from ..errors import InputError
from ..taxonomy import Taxonomy

PLAIN = (
    *("data_root", "test_root", "work_dir", "out_dir", "parses_dir", "segments", "train_split", "test_split"),
    *("group", "seconds", "runtime"),
)
"""Top-level values of a config that a word of the same name stands for."""
OF_OBJECTS = ("@num_objects", "@num_parts_and_objects")
OF_LABELS = ("@label_table", "@num_labels")


def load_config(
    path: str | Path,
    *,
    options: dict[str, Any] | None = None,
    work_dir: str | Path | None = None,
    taxonomy: Taxonomy | None = None,
    label_table: Mapping[str, Any] | Sequence | None = None,
) -> Config:
    """Read a config and fill in its words.

    The labels that ``@label_table`` and ``@num_labels`` stood for are kept as ``label_table`` in the result, and that a
    word for the number of objects occurred as ``uses_objects``.

    Args:
        path: A Python config file.
        options: Overrides as ``--cfg-options`` gives them, keys with dots.
        work_dir: Where the run writes; ``work_dirs/<name of the config>`` by default.
        taxonomy: Names to use instead of those found at ``data_root``.
        label_table: Labels, as :meth:`LabelTable.to_meta` gives them, to use instead of those derived from the training
            split; an empty one where none are known or needed. A config without the words takes no notice.

    Raises:
        InputError: If the file is missing or broken, or the lists at ``data_root`` are, or labels cannot be derived.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"config {path} is missing: see configs/ for those there are")
    try:
        cfg = Config.fromfile(path, lazy_import=False)
    except Exception as error:  # a config is code: anything can go wrong in it
        raise InputError(f"config {path} cannot be read: {_in_one_line(error)}") from error
    try:
        cfg.merge_from_dict(options or {})
    except (KeyError, TypeError) as error:
        told = f"config {path} cannot take the options {', '.join(options or {})} ({_in_one_line(error)})"
        raise InputError(f"{told}: correct --cfg-options") from error
    cfg.work_dir = str(work_dir or cfg.get("work_dir") or Path("work_dirs") / path.stem)
    if taxonomy is None and "taxonomy" not in cfg:
        taxonomy = names_at(_data_root(cfg, path))
    if taxonomy is not None:
        cfg.taxonomy = taxonomy.to_meta()
    if "segments_from" in cfg:
        cfg.setdefault("segments", str(Path(cfg.work_dir).parent / Path(cfg.segments_from).stem / "boundaries"))
    _flatten_stages(cfg)
    _name_checkpoints(cfg)
    words = _words(cfg)
    if _occur(cfg._cfg_dict, OF_OBJECTS):
        cfg.uses_objects = True
    if _occur(cfg._cfg_dict, OF_LABELS):
        labels = _derived_labels(cfg, path) if label_table is None else dict(label_table)
        words.update({"@label_table": labels, "@num_labels": len(labels.get("labels", ()))})
        cfg.label_table = labels
    _fill(cfg._cfg_dict, words)
    return cfg


def network_name(config: str | Path, train_options: dict[str, Any] | None = None) -> str:
    """What a network of a system is called: by its config, and by the options that it was trained with, if any.

    One config serves several networks that differ in a value, such as the part group whose states they tell.
    """
    return "-".join([Path(config).stem, *(str(value) for value in (train_options or {}).values())])


def evaluators(cfg: Config) -> list[Any]:
    """The metrics of a config's test, of which it may name one or several."""
    named = cfg.get("test_evaluator") or []
    return named if isinstance(named, list) else [named]


def of_evaluators(cfg: Config, name: str) -> Any:
    """What the first of a config's metrics that is given an argument is given; None where none is."""
    return next((each[name] for each in evaluators(cfg) if each.get(name) is not None), None)


def config_taxonomy(cfg: Config) -> Taxonomy:
    """The names that a loaded config was filled in with."""
    return Taxonomy.from_meta(cfg.taxonomy)


def names_at(root: str | Path) -> Taxonomy:
    """The names of the data set in a folder: of Kinetics-TPS's layout or, with actions alone, of TAPOS's.

    Raises:
        InputError: If they cannot be read.
    """
    if instances.is_instance_root(root):
        return Taxonomy(parts=(), states=(), actions=instances.names_at(root))
    return Taxonomy.from_root(root)


def _in_one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _flatten_stages(cfg: Config) -> None:
    """A list among the stages of a system stands for its members: several stages that a config names as one."""
    stages = cfg.get("model", {}).get("stages", [])
    if any(isinstance(stage, list) for stage in stages):
        groups = [stage if isinstance(stage, list) else [stage] for stage in stages]
        cfg.model.stages = [stage for group in groups for stage in group]


def _name_checkpoints(cfg: Config) -> None:
    """A stage without a checkpoint takes that of its network's run inside the work folder of the system.

    ``given_weights``, at the top of the config, names files to use instead, unchanged, by the name of the network.
    """
    given = cfg.get("given_weights", {})
    for stage in cfg.get("model", {}).get("stages", []):
        if "config" in stage:
            name = network_name(stage.config, stage.get("train_options"))
            stage.setdefault("checkpoint", given.get(name, f"{cfg.work_dir}/{name}"))


def _data_root(cfg: Config, path: Path) -> str:
    if "data_root" not in cfg:
        raise InputError(f"config {path} has no data_root: give one with --cfg-options data_root=DIR")
    return cfg.data_root


def _derived_labels(cfg: Config, path: Path) -> dict[str, Any]:
    """The label table of the training split, with the config's part group and length of a segment."""
    from ..datasets.index import open_index  # few configs need the data
    from ..datasets.segments import derive_label_table

    lacking = [name for name in ("group", "seconds") if name not in cfg]
    if lacking:
        raise InputError(f"config {path} asks for labels without {' and '.join(lacking)}: give them at its top level")
    index = open_index(_data_root(cfg, path), cfg.get("train_split", "train"), config_taxonomy(cfg))
    return derive_label_table(index, cfg.group, cfg.seconds).to_meta()


def _occur(node: Any, words: Sequence[str]) -> bool:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        return any(_occur(value, words) for value in node)
    return isinstance(node, str) and node in words


def _words(cfg: Config) -> dict[str, Any]:
    words: dict[str, Any] = {f"@num_{kind}": len(names) for kind, names in cfg.taxonomy.items()}
    words["@num_parts_and_objects"] = len(cfg.taxonomy["parts"]) + len(cfg.taxonomy["objects"])
    words["@taxonomy"] = dict(cfg.taxonomy)
    for name in PLAIN:
        if name in cfg:
            # One may be given by another that stands before it, as out_dir by work_dir.
            words[f"@{name}"] = _filled(cfg[name], words) if str(cfg[name]).startswith("@") else cfg[name]
    return words


def _fill(node: ConfigDict | list, words: dict[str, Any]) -> None:
    items = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
    for key, value in items:
        if isinstance(value, (dict, list)):
            _fill(value, words)
        elif isinstance(value, tuple):
            inner = list(value)
            _fill(inner, words)
            node[key] = tuple(inner)
        elif isinstance(value, str) and value.startswith("@"):
            node[key] = _filled(value, words)


def _filled(value: str, words: dict[str, Any]) -> Any:
    word, slash, rest = value.partition("/")
    if word not in words:
        raise InputError(f"config word {word} is not known: use one of {', '.join(sorted(words))}")
    return f"{words[word]}/{rest}" if slash else words[word]
