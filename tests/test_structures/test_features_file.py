"""Files of frame features: written whole, with strings beside them, and known to be broken."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tpsparse.errors import InputError
from tpsparse.structures.features_file import features_metadata, save_features

METADATA = dict(key="vidéo 1/s00001 (2)", stamp="abc")


def test_read_back_as_float16(tmp_path):
    path = tmp_path / "vidéo 1" / "s00001 (2).safetensors"
    features = np.linspace(-3, 3, 12, dtype=np.float32).reshape(4, 3)[:, ::-1]  # not contiguous
    save_features(path, features, METADATA)
    [(name, found)] = load_file(path).items()
    assert name == "features" and found.dtype == np.float16
    np.testing.assert_array_equal(found, features.astype(np.float16))
    assert features_metadata(path) == METADATA
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_one_frame(tmp_path):
    save_features(tmp_path / "a.safetensors", np.ones((1, 2)), {})
    assert load_file(tmp_path / "a.safetensors")["features"].shape == (1, 2)
    assert features_metadata(tmp_path / "a.safetensors") == {}


def test_broken_files_say_nothing(tmp_path):
    path = tmp_path / "a.safetensors"
    assert features_metadata(path) == {}
    save_features(path, np.ones((9, 9)), METADATA)
    whole = path.read_bytes()
    for content in (b"", b"words", whole[:-1], whole[:20]):
        path.write_bytes(content)
        assert features_metadata(path) == {}
    save_file({"other": np.ones(2)}, path, METADATA)
    assert features_metadata(path) == {}


def test_no_room(tmp_path, little_room):
    path = tmp_path / "a.safetensors"
    with little_room(), pytest.raises(InputError, match=r"a\.safetensors cannot be written .* make room there"):
        save_features(path, np.ones((100, 100)), METADATA)
    assert list(tmp_path.iterdir()) == []
