"""Frame features of whole videos or instances, written to files, as the model of an ordinary mmengine test loop.

Shapes: T frames of a video, N of a batch, D feature channels, L pairs of a stack of flow.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor

from ..datasets.video import Video
from ..errors import InputError
from ..models.backbones.weights import fitting_weights, named_weights
from ..models.recognizers.feature_recognizer import pool_views
from ..registry import MODEL_WRAPPERS, MODELS
from ..structures.features_file import EncodedVideo, features_metadata, save_features
from ..structures.files import MADE_BY, write_json, writing_told
from .batches import batches
from .network import file_digest, find_checkpoint, fingerprint, read_checkpoint
from .passes import WINDOW_BYTES

VERSION = 1
"""Of the features: another one is made again. To be raised when the same weights and video give other features."""
OF_TRAINING = ("init_cfg", "pretrained", "partial_bn", "norm_eval", "frozen_stages")
"""What of a backbone's config does not change what it computes in testing: its weights are told by content."""


# A wrapper of networks that need no gradients: mmengine does not wrap it in DistributedDataParallel again.
@MODEL_WRAPPERS.register_module()
@MODELS.register_module()
class FrameEncoder(BaseModel):
    """Encode every frame of each video: a 2D backbone, averaged over place, as TSN's features are.

    Writes ``save_dir/<key>.safetensors`` with ``features`` (T, D) float16. The file carries the ``key``, the stamp of
    the ``encoder`` (backbone, weights by content, preparation of frames) and its own ``stamp``, which covers the
    content of the video too: a run that finds a file with the same stamp leaves it as it is, so an interrupted run
    goes on, and features of other weights are made again. ``save_dir/made_by.json`` says which encoder was there last.

    Args:
        backbone: Config of the backbone. Its own ``pretrained`` or ``init_cfg`` is used where there is no checkpoint.
        data_preprocessor: Config of mmaction2's ``ActionDataPreprocessor``: mean, std, and ``to_rgb``, which swaps the
            first and the last channel: for RGB frames it gives the BGR that Caffe's weights want.
        pipeline: Transforms from decoded frames to ``mmaction.PackActionInputs``, as behind ``DecodeFrames`` in the
            ``test_pipeline`` of a recognizer of frames. For flow it begins with ``DecodeFlow``.
        save_dir: Where the features go.
        checkpoint: Weights of the backbone: a file, a URL, or the folder of a training run; other layers that are in
            it, such as a classifier, are left out.
        trained_by: Config that trains the checkpoint, named where it is missing.
        batch_frames: Frames in the backbone at a time, and at most in memory; large frames come in fewer.
        flow_pairs: L, pairs of neighbouring frames in the input of one frame, the frame in their middle; 0 for images.

    Raises:
        InputError: If there are no weights, or they are not of this backbone.
    """

    def __init__(
        self,
        *,
        backbone: dict[str, Any],
        data_preprocessor: dict[str, Any],
        pipeline: list[dict[str, Any]],
        save_dir: str,
        checkpoint: str | None = None,
        trained_by: str | None = None,
        batch_frames: int = 32,
        flow_pairs: int = 0,
    ) -> None:
        super().__init__(data_preprocessor)
        if batch_frames < 1:
            raise InputError(f"batch_frames is {batch_frames}: give at least 1")
        self.backbone = _with_weights(backbone, checkpoint, trained_by)
        self.pipeline = Compose(pipeline)
        self.save_dir = Path(save_dir)
        self.batch_frames = batch_frames
        self.flow_pairs = flow_pairs
        own = {name: value for name, value in backbone.items() if name not in OF_TRAINING}
        self.made_by = dict(
            version=VERSION,
            backbone=own,
            data_preprocessor=data_preprocessor,
            pipeline=pipeline,
            flow_pairs=flow_pairs,
            weights=weights_digest(self.backbone.state_dict()),
        )
        self.stamp = fingerprint(self.made_by)
        # Twice as fast for BN-Inception on a CPU; mmengine leaves wrappers where they are, and in training mode.
        self.to(get_device(), memory_format=torch.channels_last).eval()
        self._told = False

    def forward(self, *args: Any, **kwargs: Any) -> None:
        """Encoding is not differentiated; the loops call :meth:`test_step`."""
        raise NotImplementedError("a FrameEncoder is run by test_step or encode")

    def test_step(self, data: dict[str, list[Any]]) -> list[EncodedVideo]:
        """Encode a batch of videos given by path under ``video``, and by ``key`` if that is not the file's name."""
        paths = [Path(path) for path in data["video"]]
        keys = data.get("key") or [path.stem for path in paths]
        return [self.encode(key, path) for key, path in zip(keys, paths)]

    val_step = test_step

    def encode(self, key: str, path: Path) -> EncodedVideo:
        """Encode one video to its file; one that cannot be read gives an ``error`` and no file.

        Raises:
            InputError: If the file cannot be written: no other could be.
        """
        self._tell()
        try:
            file, video = self.file(key), Video(path)
            stamp = fingerprint([self.stamp, file_digest(str(path))])
            if features_metadata(file).get("stamp") == stamp:
                return EncodedVideo(key, found=True)
            features = self.features(video)
        except InputError as error:
            return EncodedVideo(key, error=str(error))
        save_features(file, features, dict(key=key, stamp=stamp, encoder=self.stamp))
        return EncodedVideo(key)

    def file(self, key: str) -> Path:
        """Where the features of a key lie.

        Raises:
            InputError: If that is outside of the folder.
        """
        parts = PurePosixPath(key).parts
        if not parts or ".." in parts or PurePosixPath(key).is_absolute():
            raise InputError(f"{key!r} cannot be the name of a file in {self.save_dir}: rename the instance")
        return self.save_dir / f"{key}.safetensors"

    @torch.inference_mode()
    def features(self, video: Video) -> np.ndarray:
        """Features (T, D) float16 of all frames of a video.

        Raises:
            InputError: If a frame cannot be read, or the features are no finite numbers of 16 bits.
        """
        found = [self._encode_batch(items).cpu().numpy() for items in self._items(video)]
        with np.errstate(over="ignore"):  # told below
            features = np.concatenate(found).astype(np.float16)
        if not np.isfinite(features).all():
            raise InputError(f"{video.path} has features that are infinite or NaN: give other weights")
        return features

    def _encode_batch(self, items: dict[str, Any]) -> Tensor:
        packed = self.pipeline(items)
        batch = dict(inputs=[packed["inputs"]], data_samples=[packed["data_samples"]])
        images = self.data_preprocessor(batch, training=False)["inputs"][0]
        return pool_views(self.backbone(images.to(memory_format=torch.channels_last)), len(images)).float()

    def _items(self, video: Video) -> Iterator[dict[str, Any]]:
        """What the pipeline wants to know of each batch of frames, with the frames themselves unless it reads flow."""
        numbers = range(1, video.num_frames + 1)
        if self.flow_pairs:
            for batch in batches(numbers, self.batch_frames):
                yield flow_item(video, np.asarray(batch), self.flow_pairs)
            return
        room = max(1, min(self.batch_frames, WINDOW_BYTES // (video.size[0] * video.size[1] * 3)))
        for images in video.windows(numbers, room):
            yield _image_item(images)

    def _tell(self) -> None:
        """Say once a run whose features these are, and whether there were others before."""
        if self._told:
            return
        self._told = True
        path = self.save_dir / MADE_BY
        if _stamp_in(path) not in (None, self.stamp):
            told = f"{self.save_dir} has features of another encoder: those of the videos of this run are made again"
            print_log(f"{told}, any others are out of date", "current", logging.WARNING)
        with writing_told(path):
            write_json(path, dict(stamp=self.stamp, **_plain(self.made_by)))


def flow_item(video: Video, numbers: np.ndarray, pairs: int) -> dict[str, Any]:
    """The stacks of flow that stand for some frames, as ``DecodeFlow`` is told of them.

    Args:
        video: Their video.
        numbers: (N,) frames, from 1.
        pairs: L of each stack; a frame is the first of the pair in the middle. At the ends of the video the outermost
            pair is repeated.
    """
    around = numbers[:, None] + np.arange(pairs) - pairs // 2
    inside = np.clip(around, 1, video.num_frames)
    return dict(filename=str(video.path), frame_inds=inside.reshape(-1), clip_len=pairs, num_clips=len(numbers))


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """A digest of weights by name and content, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _with_weights(config: dict[str, Any], checkpoint: str | None, trained_by: str | None) -> torch.nn.Module:
    """The backbone with its weights.

    Raises:
        InputError: If there are none, or they are of another network.
    """
    brings = config.get("pretrained") or "Pretrained" in str(config.get("init_cfg"))
    if checkpoint is None and not brings:
        raise InputError(f"backbone {config['type']} has no weights: give a checkpoint, or pretrained in its config")
    if checkpoint is None:
        backbone = MODELS.build(config)
        backbone.init_weights()
        return backbone
    path = _found(checkpoint, trained_by)
    backbone = MODELS.build({name: value for name, value in config.items() if name not in ("pretrained", "init_cfg")})
    expected = backbone.state_dict()
    found = named_weights(read_checkpoint(path), expected)
    backbone.load_state_dict(fitting_weights(found, expected, path), strict=False)  # older files do not count batches
    return backbone


def _found(checkpoint: str, trained_by: str | None) -> str:
    """The file that a checkpoint argument means.

    Raises:
        InputError: If there is none.
    """
    if "://" in checkpoint:
        return checkpoint
    path = Path(os.path.normpath(checkpoint))
    if trained_by is None and not (path.is_file() or (path / "last_checkpoint").is_file()):
        raise InputError(f"checkpoint {path} is missing: give a file, a URL, or the folder of a training run")
    return find_checkpoint(str(path), trained_by or "")


def _image_item(images: np.ndarray) -> dict[str, Any]:
    """What mmaction2's transforms want to know of N frames (N, H, W, 3), each of them a clip."""
    size = images.shape[1:3]
    return dict(
        imgs=list(images), img_shape=size, original_shape=size, modality="RGB", clip_len=1, num_clips=len(images)
    )


def _plain(node: Any) -> Any:
    """The same as JSON has it: a config's tuples and other kinds of dict become lists and dicts."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return node


def _stamp_in(path: Path) -> str | None:
    """The stamp in a file that an encoder left; None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("stamp")
    except (OSError, ValueError, AttributeError):
        return None
