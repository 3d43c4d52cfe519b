"""What parsing action instances costs, by hand: parsers, encoders of frames, and the recognizer along sub-actions."""

from __future__ import annotations

import pytest
import tiny_tapos
import torch
from tiny import CONFIGS, QUICK

from tpsparse.analysis.flops import network_complexity, official_sizes, sizes_of
from tpsparse.datasets.instances import names_at
from tpsparse.errors import InputError

PARSERS = CONFIGS / "temporal_parsing"
ENCODERS = CONFIGS / "frame_features"
TRANSPARSER = PARSERS / "transparser_2xsps_1xb8_tapos.py"
TSN = CONFIGS / "action_recognition" / "tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py"
NAMES = official_sizes(TRANSPARSER)
T, D, ACTIONS = 282, 1024, 21
PUBLISHED = 11_295_240
"""Parameters of BN-Inception with its 1,000 classes, as public releases count them."""


def count(path, **options):
    return network_complexity(path, NAMES, **options)


@pytest.fixture
def unset_weights(monkeypatch):
    """Drawing millions of weights is left out."""
    for name in [name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")]:
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *args, **kwargs: tensor)


class TestParsers:
    @pytest.mark.parametrize(("name", "units"), [("1xsps", 1), ("2xsps", 2)])
    def test_transparser(self, name, units, unset_weights):
        found = count(PARSERS / f"transparser_{name}_1xb8_tapos.py")
        patterns = 20
        # Queries, the layer behind the heads, and two of 4 D: 10 squares of D a frame; keys and values of patterns.
        unit = 10 * T * D * D + 2 * patterns * D * D + 2 * T * patterns * D
        assert found.multiply_adds == units * unit
        norms, biases = 2 * 2 * D, D + 4 * D + D
        assert found.parameters == units * (patterns * D + 12 * D * D + norms + biases) + D * ACTIONS
        assert (found.unit, found.views) == ("instance", (((T, D), units * unit, 1),))

    def test_ctm(self):
        """An LSTM in two directions, its gates from the frame and from the state before, and 64 labels."""
        found, hidden, labels = count(PARSERS / "ctm_tapos.py"), 256, 64
        assert found.multiply_adds == T * 2 * 4 * hidden * (D + hidden) + T * 2 * hidden * labels
        assert found.parameters == 2 * 4 * hidden * (D + hidden + 2) + (2 * hidden + 1) * labels

    @pytest.mark.parametrize("name", ["tcn_tapos.py", "tcn_peaks_tapos.py"])
    def test_tcn(self, name):
        found, hidden = count(PARSERS / name), 512
        assert found.multiply_adds == T * 3 * (D * hidden + hidden)
        assert found.parameters == 3 * D * hidden + hidden + 3 * hidden + 1

    def test_isba(self):
        """Kernels of 25 down to 282, 141 and 71 frames, then at 36, and up; and 1 x 1 in between and to the labels."""
        found, labels, kernel, (a, b, c) = count(PARSERS / "isba_k64_tapos.py"), 64, 25, (48, 64, 96)
        down = kernel * (282 * D * a + 141 * a * b + 71 * b * c)
        up = kernel * a * a * (71 + 141 + 282)
        lateral = a * (36 * c + 71 * b + 141 * a + 282 * D)
        assert found.multiply_adds == down + up + lateral + labels * a * (36 + 71 + 141 + 282)

    @pytest.mark.parametrize("folder", [PARSERS, QUICK / "temporal_parsing"], ids=["full", "quick"])
    @pytest.mark.parametrize(("name", "axes"), [("kmeans_k64", 2), ("floor_none", 1), ("floor_even", 1)])
    def test_without_parameters_nothing_is_counted(self, folder, name, axes):
        [path] = folder.glob(f"{name}_*.py")
        found = count(path)
        assert (found.parameters, found.multiply_adds, found.unit) == (0, 0, "instance")
        [(shape, _, _)] = found.views
        assert shape[0] == T and len(shape) == axes

    def test_other_length(self):
        path = QUICK / "temporal_parsing" / "tcn_synthetic.py"
        one, many = (count(path, shape=(length,)) for length in (1, 94))
        assert many.multiply_adds == 94 * one.multiply_adds and many.views[0][0] == (94, 256)

    @pytest.mark.parametrize("shape", [(94, 256), (0,)])
    def test_refused(self, shape):
        with pytest.raises(InputError, match=r"^config .* takes an input of T, not .*: correct --shape$"):
            count(PARSERS / "tcn_tapos.py", shape=shape)


class TestFrames:
    def test_bn_inception(self, unset_weights):
        found = count(ENCODERS / "bn-inception_imagenet_tapos-224.py")
        assert found.parameters == PUBLISHED - (D + 1) * 1000
        [(shape, each, views)] = found.views
        assert (found.unit, shape, views) == ("frame", (3, 224, 224), 1)
        assert each / 1e9 == pytest.approx(2.03, abs=0.005)

    @pytest.mark.parametrize("end", ["tsn_tapos-224", "imagenet_kinetics-tps-224"])
    def test_other_weights_and_videos_cost_the_same(self, end, unset_weights):
        found, base = (count(ENCODERS / f"bn-inception_{name}.py") for name in (end, "imagenet_tapos-224"))
        assert (found.parameters, found.views) == (base.parameters, base.views)

    def test_flow_costs_its_first_layer_more(self, unset_weights):
        """Ten channels in place of three into 64 filters of 7 x 7 at stride 2."""
        rgb, flow = (count(ENCODERS / f"bn-inception_{name}.py") for name in ("tsn_tapos-224", "tsn_tapos-224_flow"))
        assert flow.multiply_adds - rgb.multiply_adds == 7 * 64 * 49 * 112 * 112
        assert flow.parameters - rgb.parameters == 7 * 64 * 49 and flow.views[0][0] == (10, 224, 224)
        assert count(ENCODERS / "bn-inception_tsn_tapos-224_flow.py", shape=(224, 224)).views == flow.views

    def test_resnet(self, unset_weights):
        """torchvision counts 25,557,032 parameters and 4.09 G with 1,000 classes."""
        found = count(ENCODERS / "resnet50_imagenet_tapos-224.py")
        assert found.parameters == 25_557_032 - (2048 + 1) * 1000
        assert found.multiply_adds / 1e9 == pytest.approx(4.09, abs=0.005)

    def test_quick(self):
        path = QUICK / "frame_features" / "bn-inception-x4_tsn_synthetic-64.py"
        found = count(path)
        assert found.views[0][0] == (3, 64, 64)
        assert count(path, shape=(128, 64)).multiply_adds == 2 * found.multiply_adds

    def test_tsn_is_eight_frames_and_a_classifier(self, unset_weights):
        found, frame = count(TSN), count(ENCODERS / "bn-inception_imagenet_tapos-224.py")
        assert found.parameters == frame.parameters + (D + 1) * ACTIONS
        # The classifier is applied to each of the frames, whose scores are averaged.
        assert found.multiply_adds == 8 * (frame.multiply_adds + D * ACTIONS)
        assert (found.unit, found.num_views) == ("video", 8)


class TestNames:
    def test_of_the_whole_data_set(self):
        assert [len(each) for each in NAMES.to_meta().values()] == [0, 0, ACTIONS, 0]
        assert official_sizes(TSN) == NAMES
        assert official_sizes() == official_sizes(QUICK / "systems" / "dap.py") != NAMES

    def test_of_one_that_is_here(self, tmp_path):
        root = tiny_tapos.write_instances(tmp_path / "data (é)")
        found, own = sizes_of(TRANSPARSER, str(root))
        assert own and found.actions == names_at(root) and len(found.actions) == len(tiny_tapos.ACTIONS)
        config = tmp_path / "elsewhere.py"
        config.write_text(f"_base_ = {str(TRANSPARSER)!r}\ndata_root = {str(root)!r}\n", encoding="utf-8")
        assert sizes_of(config) == (found, True)
        config.write_text(f"_base_ = {str(TRANSPARSER)!r}\ndata_root = {str(tmp_path)!r}\n", encoding="utf-8")
        assert sizes_of(config) == (NAMES, False)
