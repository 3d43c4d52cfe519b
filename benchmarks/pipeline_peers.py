"""What a user would do without this project: mmdet's, mmpose's and mmaction2's inference functions, one by one.

As the packages' own documentation shows it: mmdet's ``demo/video_demo.py`` for the detector on a video, with the test
pipeline composed once; mmpose's ``demo/topdown_demo_with_mmdet.py`` for the poses of the boxes found; mmaction2's
``demo/demo.py`` for the action of the file. The networks are the packages' own classes in configs in the packages' own
terms, with the weights of the system's checkpoints.

Shapes: T frames, P persons in a frame, J keypoints, A actions. Boxes are ``xyxy`` in pixels.
"""

from __future__ import annotations

import copy
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

STOCK = {"DetectPersons": "CascadeRCNN", "EstimatePose": "TopdownPoseEstimator", "ClassifyVideo": "Recognizer2D"}
"""Stage to the class of the package that its network is a child of."""
SAME = 0.01
"""Pixels."""
HALF = 0.5
"""mmpose has a pixel's centre at whole numbers, we have it at a half."""


@dataclass
class Outputs:
    """What was found in a clip.

    Args:
        boxes: For each frame (P, 4).
        scores: For each frame (P,).
        keypoints: For each frame (P, J, 3) of (x, y, score), continuous coordinates.
        action: (A,) scores.
    """

    boxes: list[np.ndarray]
    scores: list[np.ndarray]
    keypoints: list[np.ndarray]
    action: np.ndarray

    @classmethod
    def of(cls, parse: Any) -> Outputs:
        """Of this project's record of a video."""
        frames = parse.frames
        return cls(
            boxes=[frame.boxes for frame in frames],
            scores=[frame.scores for frame in frames],
            keypoints=[frame.keypoints for frame in frames],
            action=parse.action_scores["tsn"],
        )

    @property
    def persons(self) -> int:
        """In all frames."""
        return sum(map(len, self.boxes))


def differences(ours: Outputs, peer: Outputs) -> dict[str, float]:
    """The largest difference of boxes and keypoints, in pixels, and of the scores of persons, keypoints and actions.

    Keypoints are to be of the same boxes on both sides: OpenCV cuts out in steps of 1/32 pixel, so that a box that
    differs in its last digit gives a crop that differs in a few pixels by one. And a keypoint is moved by a quarter of
    a heatmap's cell towards the higher neighbour: where two are alike, the last digit moves it by half a cell. So the
    share of keypoints that are more than :data:`SAME` apart stands beside.

    Raises:
        RuntimeError: If there are other frames, or another number of persons in one.
    """
    if [len(boxes) for boxes in ours.boxes] != [len(boxes) for boxes in peer.boxes]:
        raise RuntimeError("the two do not find as many persons in each frame")
    of = [(getattr(ours, name), getattr(peer, name)) for name in ("boxes", "scores", "keypoints")]
    boxes, scores, keypoints = ([np.concatenate(each) for each in pair] for pair in of)
    places = [each[..., :2] for each in keypoints]
    moved = (np.abs(places[0] - places[1]) > SAME).any(axis=-1)
    return {
        "boxes": _largest(*boxes),
        "scores": _largest(*scores),
        "keypoints": _largest(*places),
        "keypoints beyond": float(moved.mean()) if moved.size else 0.0,
        "keypoint scores": _largest(*(each[..., 2] for each in keypoints)),
        "action scores": _largest(ours.action, peer.action),
    }


def _largest(values: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(values.astype(np.float64) - others).max(initial=0.0))


class Chain:
    """The stock functions with the networks of a system.

    Args:
        stages: The system's stages, as its config names them: a detector, a pose network, a recognizer.
        networks: Their loaded networks, for the configs and the weights' files.
        device: Where the networks run.
    """

    def __init__(self, stages: Sequence[str], networks: Sequence[Any], device: str = "cpu") -> None:
        from mmaction.apis import init_recognizer
        from mmcv.transforms import Compose
        from mmdet.apis import init_detector
        from mmpose.apis import init_model

        own = {stage: (stock_config(stage, network.config), network) for stage, network in zip(stages, networks)}
        detector, pose, action = (own[stage] for stage in STOCK)
        self.detector = init_detector(detector[0], detector[1].checkpoint, device=device)
        pipeline = self.detector.cfg.test_dataloader.dataset.pipeline
        pipeline[0].type = "mmdet.LoadImageFromNDArray"
        self.detector_pipeline = Compose(pipeline)
        self.pose = init_model(pose[0], pose[1].checkpoint, device=device)
        self.recognizer = init_recognizer(action[0], action[1].checkpoint, device=device)
        for model, (_, network) in zip((self.detector, self.pose, self.recognizer), (detector, pose, action)):
            check_same_weights(model, network.model)

    def run(self, clip: Path, step: int, boxes: Sequence[np.ndarray] | None = None) -> Outputs:
        """Every ``step``-th frame of a clip, and its action.

        Args:
            clip: The video.
            step: Every how many frames are looked at.
            boxes: For each of these (P, 4), of which the keypoints are wanted; None for the boxes found.
        """
        import mmcv
        from mmaction.apis import inference_recognizer
        from mmdet.apis import inference_detector
        from mmpose.apis import inference_topdown

        found: dict[str, list[np.ndarray]] = dict(boxes=[], scores=[], keypoints=[])
        for number, frame in enumerate(mmcv.VideoReader(str(clip))):
            if number % step:
                continue
            persons = inference_detector(self.detector, frame, test_pipeline=self.detector_pipeline).pred_instances
            persons = persons.cpu().numpy()
            wanted = persons.bboxes if boxes is None else boxes[number // step]
            poses = inference_topdown(self.pose, frame, wanted - HALF) if len(wanted) else []
            found["boxes"].append(persons.bboxes)
            found["scores"].append(persons.scores)
            found["keypoints"].append(_keypoints([pose.pred_instances for pose in poses]))
        result = inference_recognizer(self.recognizer, str(clip))
        return Outputs(**found, action=result.pred_score.cpu().numpy())


class ChainProcess:
    """A :class:`Chain` in a process of its own, as a user's would be, without what this project sets for its process.

    Args:
        config: Of the system whose networks it has.
        work_dir: Where the weights are.
        options: Overrides of the config.
    """

    def __init__(self, config: Path, work_dir: Path, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        given = (other, str(config), str(work_dir), options, torch.get_num_threads())
        self.process = context.Process(target=_serve, args=given, daemon=True)
        self.process.start()
        self._answer()

    def run(self, *args: Any) -> tuple[Outputs, float, float]:
        """What :meth:`Chain.run` gives, and its seconds by the clock and of the processor."""
        self.connection.send(args)
        return self._answer()

    def _answer(self) -> Any:
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(connection: Any, config: str, work_dir: str, options: dict[str, Any], threads: int) -> None:
    torch.set_num_threads(threads)
    try:
        chain = Chain(*_plain_networks(config, work_dir, options))
        connection.send(None)
        while True:
            args = connection.recv()
            start, processor = time.perf_counter(), time.process_time()
            outputs = chain.run(*args)
            connection.send((outputs, time.perf_counter() - start, time.process_time() - processor))
    except EOFError:
        return  # the benchmark is over
    except Exception as error:
        connection.send(RuntimeError(f"the stock functions failed ({type(error).__name__}: {error})"))


def _plain_networks(config: str, work_dir: str, options: dict[str, Any]) -> tuple[list[str], list[Any]]:
    """Kinds of the system's stages, and their networks as they were trained."""
    from tpsparse.engine import load_config
    from tpsparse.parsing import load_network
    from tpsparse.parsing.network import find_checkpoint, read_checkpoint, stored_taxonomy
    from tpsparse.taxonomy import Taxonomy

    any_names = Taxonomy(parts=("part",), states=("state",), actions=("action",))
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=any_names)
    stages = [stage for stage in cfg.model.stages if "config" in stage]
    stored = stored_taxonomy(read_checkpoint(find_checkpoint(stages[0].checkpoint, stages[0].config)))
    taxonomy = any_names if stored is None else Taxonomy.from_meta(stored)
    networks = [load_network(each.config, each.checkpoint, taxonomy, dict(each.get("options", {}))) for each in stages]
    return [stage.type for stage in stages], networks


def _keypoints(poses: Sequence[Any]) -> np.ndarray:
    """(P, J, 3) in continuous coordinates, with scores up to 1, as the system tells them."""
    scores = [np.clip(each.keypoint_scores[0], 0, 1)[:, None] for each in poses]
    rows = [np.concatenate([each.keypoints[0] + HALF, score], axis=1) for each, score in zip(poses, scores)]
    return np.stack(rows) if rows else np.zeros((0, 17, 3))


def stock_config(stage: str, cfg: Any) -> Any:
    """A config in a package's own terms, for the network of a stage."""
    from mmengine.config import Config

    model = copy.deepcopy(cfg.model.to_dict())
    model["type"] = STOCK[stage]
    if stage == "ClassifyVideo":
        return Config(dict(default_scope="mmaction", model=model, test_pipeline=_file_pipeline(cfg.test_pipeline)))
    # These packages read BGR.
    model["data_preprocessor"]["bgr_to_rgb"] = True
    for name in ("_scope_", "instance_action", "context_action"):
        model.pop(name, None)
    scope = "mmdet" if stage == "DetectPersons" else "mmpose"
    kind = dict(mmdet="CocoDataset", mmpose="CocoDataset")[scope]
    dataset = dict(type=kind, pipeline=_image_pipeline(scope, cfg.test_pipeline))
    if scope == "mmdet":
        dataset["metainfo"] = dict(classes=("person",), palette=[(220, 20, 60)])
    return Config(dict(default_scope=scope, model=model, test_dataloader=dict(dataset=dataset)))


def _image_pipeline(scope: str, pipeline: Sequence[Any]) -> list[dict[str, Any]]:
    """The steps of a test pipeline behind a package's own reading of an image; those of ours alone are left out."""
    load = dict(type="LoadImageFromFile" if scope == "mmdet" else "LoadImage")
    steps = [dict(step) for step in pipeline if str(step["type"]).startswith(f"{scope}.")]
    return [load, *({name: value for name, value in step.items() if name != "meta_keys"} for step in steps)]


def _file_pipeline(pipeline: Sequence[Any]) -> list[dict[str, Any]]:
    """The steps of a recognizer's test pipeline around mmaction2's own reading of a file."""
    steps = [dict(type="DecordInit")]
    for step in pipeline:
        kind = str(step["type"]).removeprefix("mmaction.")
        rest = {name: value for name, value in step.items() if name not in ("type", "meta_keys")}
        steps.append(dict(type="DecordDecode" if kind == "DecodeFrames" else kind, **rest))
    return steps


def check_same_weights(model: torch.nn.Module, other: torch.nn.Module) -> None:
    """See that two networks have the same weights.

    Raises:
        RuntimeError: If they do not.
    """
    weights, others = model.state_dict(), other.state_dict()
    if weights.keys() != others.keys() or not all(torch.equal(value, others[name]) for name, value in weights.items()):
        raise RuntimeError(f"{type(model).__name__} has not the weights of the system's {type(other).__name__}")
