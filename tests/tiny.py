"""A tiny data set of drawn rectangles, narrow networks, and broken files: what the tests of many modules work on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGS = REPOSITORY / "configs"
QUICK = CONFIGS / "quick"
QUICK_SYSTEM = QUICK / "systems" / "dap.py"
PARTS = ("head", "left_arm", "right_arm")
STATES = ("none", "bend", "lift")
ACTIONS = ("lunge", "pull_ups", "push_up")
VIDEOS = {"train": 2, "test": 1}
NUM_FRAMES = 12
SIZE = (64, 96)
FPS = 10.0
PART_PLACES = {"head": (6, 0, 14, 10), "left_arm": (14, 10, 20, 25), "right_arm": (0, 10, 6, 25)}
PART_COLOURS = {"head": (230, 190, 160), "left_arm": (60, 60, 220), "right_arm": (220, 60, 60)}
SHIRTS = {"lunge": (40, 160, 60), "pull_ups": (160, 60, 160), "push_up": (200, 200, 40)}
DAP_CONFIGS = {
    "person_detection": "dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py",
    "part_parsing": "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py",
    "action_recognition": "dap_swin-24_1xb8_synthetic-8x2x1-rgb.py",
    "feature_fusion": "dap_mlp_1xb16_synthetic.py",
}


def quick_config(task: str) -> Path:
    """The quick training config of DAP for a task; of the two action recognizers Video Swin."""
    return QUICK / task / DAP_CONFIGS[task]


def person_box(action: str, frame: int, person: int) -> list[int]:
    """Where a drawn person is: 20 x 40 pixels, walking in a direction that the action decides."""
    step = ACTIONS.index(action)
    left = 10 + 45 * person + (frame if step else 0)
    top = 5 + (frame if step != 1 else 0)
    return [left, top, left + 20, top + 40]


def part_state(action: str, part: str, frame: int) -> str:
    """The head has one state, the left arm lifts after frame 8, the right arm goes by the action."""
    if part == "head":
        return "none"
    if part == "left_arm":
        return "bend" if frame <= 8 else "lift"
    return "lift" if action == "pull_ups" else "bend"


def num_persons(action: str) -> int:
    return 2 if action == "push_up" else 1


def has_part(part: str, frame: int) -> bool:
    """The right arm is hidden in every fourth frame."""
    return part != "right_arm" or frame % 4 != 0


def draw_frame(action: str, frame: int) -> np.ndarray:
    image = np.full((*SIZE, 3), 90, dtype=np.uint8)
    image[:, ::8] = 110
    for person in range(num_persons(action)):
        left, top, right, bottom = person_box(action, frame, person)
        image[top:bottom, left:right] = SHIRTS[action]
        for part, (x0, y0, x1, y1) in PART_PLACES.items():
            if has_part(part, frame):
                image[top + y0 : top + y1, left + x0 : left + x1] = PART_COLOURS[part]
    return image


def annotate_frame(action: str, frame: int) -> dict[str, Any]:
    humans = []
    for person in range(num_persons(action)):
        box = person_box(action, frame, person)
        parts = {}
        for part, place in PART_PLACES.items():
            if has_part(part, frame):
                part_box = [box[side % 2] + place[side] for side in range(4)]
                parts[part] = {"number": 1, "box": part_box, "verb": part_state(action, part, frame), "name": part}
        humans.append({"number": person + 1, "box": box, "parts": parts})
    return {"humans": humans, "objects": []}


def encode(path: Path, frames: list[np.ndarray], *, index_in_front: bool = True) -> None:
    """H.264 with a key frame every fifth and B-frames between, so that order of decoding and of showing differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "faststart"} if index_in_front else {}
    with av.open(str(path), "w", format="mp4", options=options) as file:
        stream = file.add_stream("libx264", rate=int(FPS), options={"crf": "12", "bf": "2", "g": "5", "threads": "1"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))


def write_tiny(root: Path) -> Path:
    """The drawn data set, in the official layout."""
    lists = root / "list"
    lists.mkdir(parents=True)
    for name, entries in (("body_part", PARTS), ("part_stat", STATES), ("object", ("none",))):
        (lists / f"{name}.txt").write_text("\n".join(entries) + "\n")
    for split, count in VIDEOS.items():
        rows = []
        for action in ACTIONS:
            for number in range(count):
                name = f"{action}_{split}_{number}"
                frames = [draw_frame(action, frame) for frame in range(1, NUM_FRAMES + 1)]
                encode(root / f"{split}_videos" / action / f"{name}.mp4", frames)
                folder = root / f"{split}_annotations" / action / name
                folder.mkdir(parents=True)
                for frame in range(1, NUM_FRAMES + 1):
                    (folder / f"img_{frame:05d}.json").write_text(json.dumps(annotate_frame(action, frame)))
                rows.append(f"{action}/{name}.mp4,{NUM_FRAMES}\n")
        (lists / f"video_{split}_flist.csv").write_text("".join(rows))
    return root


def save_random_weights(system: Path, work_dir: Path, root: Path, *, seed: int = 0) -> None:
    """A checkpoint for each network of a system, as training leaves it in ``work_dir/<config>/``."""
    from mmengine.registry import init_default_scope

    from tpsparse.engine import config_taxonomy, load_config
    from tpsparse.registry import MODELS, SCOPE

    cfg = load_config(system, options={"data_root": str(root)}, work_dir=work_dir)
    taxonomy = config_taxonomy(cfg)
    init_default_scope(SCOPE)
    for stage in cfg.model.stages:
        if "config" not in stage:
            continue
        torch.manual_seed(seed)
        model = MODELS.build(load_config(stage.config, taxonomy=taxonomy).model)
        model.init_weights()
        folder = Path(stage.checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        meta = {"epoch": 1, "dataset_meta": {"taxonomy": taxonomy.to_meta()}}
        torch.save({"meta": meta, "state_dict": model.state_dict()}, folder / "epoch_1.pth")
        (folder / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))


def save_records(root: Path, folder: Path) -> Path:
    """Records of every drawn video, in the folders that networks learn from: one person with all they ask."""
    from tpsparse.structures import FrameParse, VideoParse

    person = {"scores": np.ones(1), "keypoints": np.ones((1, 17, 3)), "person_features": {"part": np.ones((1, 4))}}
    for split in VIDEOS:
        for video in (root / f"{split}_videos").glob("*/*.mp4"):
            frames = [
                FrameParse(number, np.array([[0.0, 0, 60, 60]]), features={"context": np.ones(4)}, **person)
                for number in range(1, NUM_FRAMES + 1)
            ]
            record = VideoParse(video.stem, size=SIZE, num_frames=NUM_FRAMES, fps=FPS, frames=frames)
            for name in (".", "keypoints", "scu", "scu_no-relevance"):
                record.save(folder / name / split / f"{video.stem}.safetensors")
    return folder


def narrow_part_config(path: Path, root: Path, **changes: Any) -> Path:
    """Write the quick part-parsing config with four channels and crops of 64 x 64: three epochs of four iterations."""
    from mmengine.config import Config

    cfg = Config.fromfile(quick_config("part_parsing"))
    options = {
        "data_root": str(root),
        "codec": {"input_size": (64, 64), "heatmap_size": (16, 16)},
        "model.codec": {"input_size": (64, 64), "heatmap_size": (16, 16)},
        "model.part_head.in_channels": 4,
        "model.state_head.in_channels": 4,
        "model.state_head.state_channels": 8,
        "train_cfg.max_epochs": 3,
        "train_dataloader.batch_size": 8,
        "train_dataloader.dataset.frame_step": 3,
        "test_dataloader.dataset.frame_step": 5,
    }
    for stage in range(1, 5):
        options[f"model.backbone.extra.stage{stage}.num_channels"] = tuple(4 * 2**i for i in range(stage))
    cfg.merge_from_dict({**options, **changes})
    for pipeline in (cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline, cfg.test_pipeline):
        for step in pipeline:
            if step.type == "CropPerson":
                step.input_size = (64, 64)
    cfg.dump(path)
    return path


def tool_environment(**extra: object) -> dict[str, str]:
    """What a subprocess needs: one thread, this Python for the shell scripts, this checkout."""
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    fixed = {"OMP_NUM_THREADS": "1", "PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(paths)}
    return {**os.environ, **fixed, **{key: str(value) for key, value in extra.items()}}


def break_items(root: Path) -> dict[str, str]:
    """Spoil a copy of the drawn data set in every way; file name to what must be told of it.

    Two training videos, three frames, one part and one test video cannot be used then.
    """
    videos, notes = root / "train_videos", root / "train_annotations" / "push_up" / "push_up_train_1"
    (videos / "lunge" / "lunge_train_0.mp4").write_bytes(b"")
    whole = (videos / "pull_ups" / "pull_ups_train_0.mp4").read_bytes()
    (videos / "pull_ups" / "pull_ups_train_0.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    (root / "test_videos" / "lunge" / "lunge_test_0.mp4").write_text("not a video")
    (notes / "img_00002.json").write_text('{"humans": [')
    (notes / "img_00003.json").unlink()
    content = json.loads((notes / "img_00004.json").read_text())
    content["humans"][0]["box"] = [500, 10, 520, 30]
    content["humans"][1]["parts"]["head"]["verb"] = "moonwalk"
    (notes / "img_00004.json").write_text(json.dumps(content))
    return {
        "lunge_train_0.mp4": "is empty: replace or remove it",
        "pull_ups_train_0.mp4": "is truncated",
        "img_00002.json": "cannot be read",
        "img_00003.json": "is missing: restore the file",
        "img_00004.json": "is outside the 96x64 frame",
    }


def leftovers(folder: Path) -> list[str]:
    """Files that an interrupted write would leave."""
    return [str(path) for path in folder.rglob("*") if ".partial" in path.name or path.suffix == ".tmp"]
