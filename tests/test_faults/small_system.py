"""What is run: a fusion that trains in half a second, and systems of one narrow detector with random weights."""

from __future__ import annotations

from pathlib import Path

import tiny
from mmengine.config import Config

EPOCHS, STEPS = 5, 3
"""Of the fusion's training: epochs, and iterations in each."""
DETECTOR = tiny.QUICK / "person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py"
PERSONS = "dict(type='DetectPersons', config={config!r})"
ANNOTATED = "dict(type='ReadAnnotation', data_root='@data_root', gives=['boxes', 'part_boxes', 'action'])"
STATES = "dict(type='MostFrequentStates', data_root='@data_root', split='@train_split')"


def write_fusion(folder: Path, root: Path) -> Path:
    """A training config in ``folder``, with dropout, random frames, each iteration logged and two checkpoints kept."""
    tiny.save_records(root, folder / "parses")
    only = "dict(_delete_=True, {})"
    config = folder / "small_fusion.py"
    config.write_text(
        f"_base_ = [{str(tiny.quick_config('feature_fusion'))!r}]\n"
        f"model = dict(frame_features={only.format('context=4')}, person_features={only.format('part=4')}, "
        f"video_features={only.format('')})\n"
        f"data_root, parses_dir, log_level = {str(root)!r}, {str(folder / 'parses')!r}, 'INFO'\n"
        f"train_dataloader = dict(batch_size=2)\ntrain_cfg = dict(max_epochs={EPOCHS})\n"
        "default_hooks = dict(logger=dict(interval=1))\n"
    )
    return config


def write_systems(folder: Path, root: Path) -> tuple[Path, Path]:
    """Two system configs in ``folder``, whose weights are in ``folder/work``.

    The first parses any video: ten boxes a frame. The second goes on with what is annotated, and has a score.
    """
    config = folder / "narrow_persons.py"
    narrow_detector().dump(config)
    systems = []
    for name, stages in (("persons_only.py", [PERSONS]), ("scored.py", [PERSONS, ANNOTATED, STATES])):
        bases = [str(tiny.QUICK / "_base_/quick.py"), str(tiny.CONFIGS / "_base_/parsing_run.py")]
        row = ", ".join(stage.format(config=str(config)) for stage in stages)
        systems.append(folder / name)
        systems[-1].write_text(f"_base_ = {bases!r}\ndata_root = {str(root)!r}\nmodel = dict(stages=[{row}])\n")
    tiny.save_random_weights(systems[0], folder / "work", root)
    return systems[0], systems[1]


def narrow_detector() -> Config:
    """The quick YOLOF with a quarter of its channels, on small pictures, which keeps its ten best boxes whatever their
    scores.
    """
    cfg = Config.fromfile(DETECTOR)
    small = {
        "model.backbone.base_channels": 4,
        "model.neck.in_channels": 32,
        "model.neck.out_channels": 16,
        "model.neck.block_mid_channels": 8,
        "model.neck.num_residual_blocks": 1,
        "model.neck.block_dilations": [1],
        "model.bbox_head.in_channels": 16,
        "model.bbox_head.num_reg_convs": 1,
        "model.test_cfg.score_thr": 0.0,
    }
    cfg.merge_from_dict(small)
    loaders = (cfg.train_dataloader, cfg.test_dataloader)
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline, *(loader.dataset.pipeline for loader in loaders)):
        for step in pipeline:
            if step.type == "mmdet.Resize":
                step.scale = (64, 64)
    return cfg
