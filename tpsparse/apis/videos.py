"""Any video parsed by a system that is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from av import FFmpegError
from mmengine.registry import init_default_scope

from ..cli import with_runtime
from ..datasets.video import Video, frames_of
from ..engine import fix_threads, load_config
from ..errors import InputError, UnwritableError, first_line
from ..parsing import ActionParser
from ..parsing.network import (
    find_checkpoint,
    read_checkpoint,
    stored_taxonomy,
)
from ..registry import MODELS, SCOPE
from ..structures import VideoParse
from ..structures.export import LEAST_STATE_SCORE, parse_to_json
from ..structures.files import remove_partials, write_json, writing_told
from ..taxonomy import Taxonomy
from ..visualization import write_overlay
from .building import building, is_system

RECORD_FILE = "record.safetensors"
ASSUMED_FPS = 25.0
"""Frames a second of an overlay whose video tells none."""


def build_parser(
    config: str | Path,
    *,
    work_dir: str | Path | None = None,
    options: dict[str, Any] | None = None,
    frame_step: int = 1,
    runtime: str | None = None,
) -> tuple[ActionParser, Taxonomy]:
    """A system ready to parse any video: its names come with the weights, so no data set is needed.

    Args:
        config: A system config.
        work_dir: Folder of the trained networks, as written by ``tools/reproduce.py``.
        options: Overrides of the config.
        frame_step: Every how many frames are parsed.
        runtime: How the networks are run, in place of the config's: a preset of :class:`.Runtime`.
    """
    options = with_runtime(options or {}, runtime)
    taxonomy = _trained_taxonomy(config, work_dir, options)
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=taxonomy)
    init_default_scope(SCOPE)
    fix_threads(cfg)
    cfg.model.frames = dict(type="EveryFrame", step=frame_step)
    cfg.model.save_dir = None
    with building(config):
        return MODELS.build(cfg.model), taxonomy


def parse_video(parser: ActionParser, path: str | Path) -> VideoParse:
    """Parse one video.

    Raises:
        InputError: If the video cannot be read.
    """
    return parser.parse_video(Video(path))


def parse_to_folder(
    parser: ActionParser,
    taxonomy: Taxonomy,
    path: str | Path,
    folder: Path,
    *,
    record: bool = False,
    min_state_score: float = LEAST_STATE_SCORE,
) -> VideoParse:
    """Parse one video and write ``parse.json`` and ``overlay.mp4`` to a folder of its own.

    Args:
        parser: A system, as :func:`build_parser` gives it.
        taxonomy: The names that it was trained with.
        path: The video.
        folder: Where to; it is made if need be.
        record: Write ``record.safetensors`` too, which :meth:`VideoParse.load` reads: all that the stages have found,
            with features, such as the relevance of parts that ``tools/analysis/part_relevance.py`` draws.
        min_state_score: As for :func:`parse_to_json` and :func:`draw_parse`.

    Raises:
        InputError: If the video cannot be read or drawn, and nothing is written then; or if there is no room.
    """
    video = Video(path)
    video.fps = video.fps if 0 < video.fps < math.inf else 0.0  # 0 stands for unknown
    parse = parser.parse_video(video, keep_features=record)
    remove_partials(folder)
    try:
        write_overlay(
            folder / "overlay.mp4",
            frames_of(video),
            parse,
            taxonomy,
            video.fps or ASSUMED_FPS,
            min_state_score=min_state_score,
        )
    except UnwritableError:
        raise
    except (ValueError, FFmpegError) as error:
        with suppress(OSError):  # it holds something else
            folder.rmdir()
        raise InputError(f"{path} cannot be drawn ({first_line(error)}): encode it again or leave it out") from error
    if record:
        with writing_told(folder / RECORD_FILE):
            parse.save(folder / RECORD_FILE)
    else:
        (folder / RECORD_FILE).unlink(missing_ok=True)  # an earlier run's would stand beside another parse
    # Last: a folder with parse.json is complete.
    write_json(folder / "parse.json", parse_to_json(parse, taxonomy, min_state_score=min_state_score))
    return parse


def _trained_taxonomy(config: str | Path, work_dir: Any, options: dict[str, Any] | None) -> Taxonomy:
    """The names that a system's networks were trained with.

    They are those of the first network; the objects, which other networks need not share, those of the first that uses
    them.
    """
    # Which names fill the config does not matter for finding the stages' checkpoints.
    any_names = Taxonomy(parts=("part",), states=("state",), actions=("action",))
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=any_names)
    if not is_system(cfg):
        raise InputError(f"config {config} is of one network: give a system config, as in configs/systems/")
    stages = [stage for stage in cfg.model.get("stages", []) if "checkpoint" in stage]
    names = _first_names(stages)
    if names is not None:
        # Configs are read in no time, weights are not: of those no more are read than are asked.
        users = [s for s in stages if load_config(s.config, taxonomy=any_names, label_table={}).get("uses_objects")]
        objects = _first_names(users) or names
        return Taxonomy.from_meta({**names, "objects": objects.get("objects", [])})
    raise InputError(f"config {config} names no checkpoint that knows its labels: train with tools/reproduce.py")


def _first_names(stages: Sequence[Any]) -> dict[str, list[str]] | None:
    """The names in the first checkpoint that has any, of networks in a row; None where none has."""
    stored = (stored_taxonomy(read_checkpoint(find_checkpoint(each.checkpoint, each.config))) for each in stages)
    return next((names for names in stored if names is not None), None)
