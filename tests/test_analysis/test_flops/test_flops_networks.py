"""Parameters and multiply-adds: small networks by hand, full-size ones against the published sizes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from tiny import CONFIGS, QUICK, QUICK_SYSTEM, quick_config
from torch.utils.flop_counter import FlopCounterMode

from tpsparse.analysis.flops import (
    network_complexity,
    official_sizes,
    sizes_of,
)
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

FACTS = Path(__file__).resolve().parents[3] / ".." / "shared" / "facts.md"
ACTIONS, PARTS, STATES = 24, 10, 74
NAMES = official_sizes()
DETECTOR = CONFIGS / "person_detection" / "cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"
PARSING = CONFIGS / "part_parsing" / "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"
TIMESFORMER = CONFIGS / "action_recognition" / "dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py"
SWIN = CONFIGS / "action_recognition" / "dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py"
YOLOF = CONFIGS / "person_detection" / "pcf_yolof_r101-c5_4xb6-24e_kinetics-tps.py"
PART_YOLOF = CONFIGS / "part_detection" / "pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py"
POSE = CONFIGS / "pose_estimation" / "pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py"
CSN_IP = CONFIGS / "action_recognition" / "pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"
CSN_IR = CONFIGS / "action_recognition" / "runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"
TSN = CONFIGS / "action_recognition" / "pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py"
TSN_FLOW = CONFIGS / "action_recognition" / "pcf_tsn-r50_8xb32-110e_kinetics-tps-5x1x3-flow.py"
CSN_STATES = CONFIGS / "state_recognition" / "pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_3s.py"
FUSION = CONFIGS / "feature_fusion" / "dap_mlp_8xb32-30e_kinetics-tps.py"


class TestByHand:
    def test_timesformer_with_its_attention(self):
        """One layer of width 12 on 2 frames of 32 x 32: 4 patches a frame, 8 in all, and one class token."""
        size = dict(num_frames=2, img_size=32, embed_dims=12, num_heads=2, num_transformer_layers=1)
        options = {f"model.backbone.{key}": value for key, value in size.items()}
        options |= {"model.cls_head.in_channels": 12}
        found = network_complexity(TIMESFORMER, NAMES, options=options, shape=(2, 32, 32))
        d = 12
        embedding = 8 * (3 * 16 * 16) * d
        # In time each of 4 places attends over 2 frames; a linear layer follows.
        time = 8 * d * 3 * d + 4 * (2 * 2 * d) * 2 + 8 * d * d + 8 * d * d
        # In space each of 2 frames attends over 4 patches and the class token.
        space = 10 * d * 3 * d + 2 * (5 * 5 * d) * 2 + 10 * d * d
        hidden = 9 * d * 4 * d * 2
        assert found.multiply_adds == embedding + time + space + hidden + d * ACTIONS
        norms = 2 * d * 4  # before time, space and the hidden layer, and the last
        attention = 2 * ((d + 1) * 3 * d + (d + 1) * d) + (d + 1) * d
        tokens = d * (1 + (4 + 1) + 2)  # class, places, times
        hidden = (d + 1) * 4 * d + (4 * d + 1) * d
        assert found.parameters == (768 + 1) * d + attention + hidden + norms + tokens + (d + 1) * ACTIONS

    def test_fusion(self):
        found = network_complexity(FUSION, NAMES)
        of_frames, of_persons = 2048 * 512 + 512 * 256, sum(size * 512 + 512 * 256 for size in (256, 48, 192))
        linear = (4 * 256 + 768 + 1024) * ACTIONS
        assert found.multiply_adds == 32 * of_frames + 320 * of_persons + linear
        assert (found.unit, found.num_views) == ("video", 1)
        one = network_complexity(FUSION, NAMES, shape=(1, 2))
        assert one.multiply_adds == of_frames + 2 * of_persons + linear

    def test_part_heads(self):
        """What the number of states adds: a linear layer on 192 channels, and nothing else."""
        names = Taxonomy(parts=NAMES.parts, states=NAMES.states[:4], actions=NAMES.actions)
        config = quick_config("part_parsing")
        many, few = (network_complexity(config, each) for each in (NAMES, names))
        model = load_config(config, taxonomy=NAMES).model
        looks = 2 if model.get("test_cfg", {}).get("flip_test") else 1
        width = model.state_head.state_channels
        assert many.multiply_adds - few.multiply_adds == looks * PARTS * (STATES - 4) * width
        assert many.num_views == looks and many.unit == "person"

    def test_detector_is_what_a_real_run_does(self):
        """The quick detector on the CPU, with its limits on boxes met exactly, counted as it runs."""
        config = quick_config("person_detection")
        limits = {
            "model.test_cfg.rpn": dict(
                nms_pre=200, max_per_img=20, nms=dict(type="nms", iou_threshold=1.0), min_bbox_size=0
            ),
            "model.test_cfg.rcnn": dict(score_thr=0.0, nms=dict(type="nms", iou_threshold=1.0), max_per_img=5),
        }
        found = network_complexity(config, NAMES, options=limits, shape=(64, 96))
        init_default_scope("tpsparse")
        torch.manual_seed(0)
        model = MODELS.build(load_config(config, taxonomy=NAMES, options=limits).model).eval()
        model.init_weights()
        meta = dict(img_shape=(64, 96), ori_shape=(64, 96), batch_input_shape=(64, 96), scale_factor=(1, 1))
        sample = DetDataSample(metainfo=meta, gt_instances=InstanceData())
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            [result] = model.predict(torch.randn(1, 3, 64, 96), [sample])
        assert len(result.pred_instances) == 5
        assert found.multiply_adds * 2 == counter.get_total_flops()


class TestFullSize:
    @pytest.mark.parametrize(
        ("path", "row", "difference"),
        [
            # Heads for 80 classes and background in place of one class, in each of three stages.
            (DETECTOR, "Cascade R-CNN ResNet-101 FPN", 3 * (1024 + 1) * 79),
            (TIMESFORMER, "TimeSformer divided space-time", (768 + 1) * (400 - ACTIONS)),
            (SWIN, "Video Swin-B", (1024 + 1) * (400 - ACTIONS)),
            (CSN_IR, "ir-CSN-152", (2048 + 1) * (400 - ACTIONS)),
            (TSN, "TSN ResNet-50", (2048 + 1) * (400 - ACTIONS)),
            (POSE, "HRNet-W48", 0),
        ],
        ids=["detector", "timesformer", "swin", "csn", "tsn", "pose"],
    )
    def test_parameters(self, path, row, difference):
        if not FACTS.is_file():
            pytest.skip("the sizes to compare with are not here")
        [size] = re.findall(rf"\| {row}[^|]*\| ([\d.]+) \|", FACTS.read_text(encoding="utf-8"))
        found = network_complexity(path, NAMES)
        assert (found.parameters + difference) / 1e6 == pytest.approx(float(size), abs=0.005)

    def test_parameters_of_parsing_hrnet(self):
        # 63.60 M of mmpose's network end in a 1 x 1 convolution from 48 channels to 17 keypoints.
        part = 2 * (48 * 48 * 9 + 2 * 48) + (48 + 1) * PARTS
        state = (48 + 1) * 192 + (192 + 1) * 192 + (192 + 1) * PARTS * STATES
        found = network_complexity(PARSING, NAMES)
        assert (found.parameters - part - state + (48 + 1) * 17) / 1e6 == pytest.approx(63.60, abs=0.005)

    @pytest.mark.parametrize(
        ("path", "billions", "views"),
        [
            # "FLOPs" of one view in mmaction2 1.2.0, configs/recognition/swin and timesformer, metafile.yml.
            (SWIN, 282, 3),
            (TIMESFORMER, 196, 3),
            # Of a clip of 32 frames of 256 x 256: Tran et al. (2019, CSN), table 5.
            (CSN_IP, 108.8, 7),
            (CSN_IR, 96.7, 7),
        ],
        ids=["swin", "timesformer", "ip-csn", "ir-csn"],
    )
    def test_multiply_adds_are_those_of_the_model_zoo(self, path, billions, views):
        found = network_complexity(path, NAMES)
        [(_, each, count)] = found.views
        assert count == views and each / 1e9 == pytest.approx(billions, rel=0.005)
        assert found.multiply_adds == views * each


class TestOtherKinds:
    """Networks of the PCF system, by what their configs say of their inputs."""

    @pytest.mark.parametrize(
        ("path", "unit", "view", "views"),
        [
            (YOLOF, "frame", (3, 800, 1344), 1),  # 800 x 1333, padded
            (PART_YOLOF, "person", (3, 384, 288), 1),
            (POSE, "person", (3, 256, 192), 2),  # and its mirror image
            (TSN, "video", (3, 256, 256), 7),
            (TSN_FLOW, "video", (10, 256, 256), 7),  # five pairs, two directions
        ],
        ids=["persons", "parts", "pose", "tsn", "flow"],
    )
    def test_inputs(self, path, unit, view, views):
        found = network_complexity(path, NAMES)
        assert (found.unit, found.num_views, [shape for shape, _, _ in found.views]) == (unit, views, [view])

    def test_flow_costs_its_first_layer_more(self):
        """Ten channels in place of three into 64 filters of 7 x 7 at stride 2."""
        rgb, flow = (network_complexity(path, NAMES) for path in (TSN, TSN_FLOW))
        assert flow.views[0][1] - rgb.views[0][1] == 7 * 64 * 49 * 128 * 128
        assert network_complexity(TSN_FLOW, NAMES, shape=(256, 256)).multiply_adds == flow.views[0][1]

    def test_states_and_no_data_set(self):
        """A recognizer of part states is counted with a label an action, so its head is that of actions."""
        states, actions = (network_complexity(path, NAMES) for path in (CSN_STATES, CSN_IP))
        assert states.parameters == actions.parameters and states.views == actions.views


class TestViews:
    def test_of_a_detector(self):
        config = CONFIGS / "person_detection" / "dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps_multi-scale-flip.py"
        found = network_complexity(config, NAMES)
        # Padded to multiples of 32.
        assert {shape: count for shape, _, count in found.views} == {
            (3, 800, 1344): 2,
            (3, 416, 672): 2,
            (3, 1216, 2016): 2,
        }
        assert found.multiply_adds == sum(each * count for _, each, count in found.views)
        small, base, large = sorted(each for _, each, _ in found.views)
        assert small < base < large

    def test_mirrored_crops(self):
        once = network_complexity(PARSING.with_stem(f"{PARSING.stem}_no-flip"), NAMES)
        assert once.views[0][0] == (3, 256, 192)
        assert network_complexity(PARSING, NAMES).multiply_adds == 2 * once.multiply_adds

    def test_clips_crops_and_mirror_images(self):
        folder, name = CONFIGS / "quick" / "action_recognition", "dap_swin-24_1xb8_synthetic-8x2x1-rgb"
        one, mirrored, many = (
            network_complexity(folder / f"{name}{end}.py", NAMES) for end in ("", "_flip", "_4x3-views")
        )
        assert (mirrored.num_views, many.num_views) == (2 * one.num_views, 12)
        assert many.multiply_adds * one.num_views == 12 * one.multiply_adds


def test_names(tiny_root, tmp_path):
    assert sizes_of(QUICK_SYSTEM, str(tiny_root)) == (Taxonomy.from_root(tiny_root), True)
    config = tmp_path / "elsewhere.py"
    config.write_text(f"_base_ = {str(QUICK_SYSTEM)!r}\ndata_root = {str(tmp_path)!r}\n")
    names, own = sizes_of(config)
    assert not own and [len(each) for each in names.to_meta().values()] == [PARTS, STATES, ACTIONS, 75]
    config.write_text(f"_base_ = {str(QUICK_SYSTEM)!r}\ndata_root = {str(tiny_root)!r}\n")
    assert sizes_of(config) == (Taxonomy.from_root(tiny_root), True)
    with pytest.raises(InputError, match="is missing"):
        sizes_of(config, str(tmp_path))


@pytest.mark.parametrize(
    ("path", "shape", "told"),
    [
        (quick_config("feature_fusion"), (1, 2, 3), "takes an input of T P, not 1x2x3: correct --shape"),
        (quick_config("part_parsing"), (64,), "takes an input of H W, not 64: correct --shape"),
        (quick_config("part_parsing"), (64, 0), "takes an input of H W, not 64x0"),
        (
            QUICK / "action_recognition" / "dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py",
            (8, 32),
            "of T H W, not 8x32",
        ),
        (
            QUICK / "action_recognition" / "dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py",
            (8, 32, 48),
            "takes no input",
        ),
        (TSN_FLOW, (5, 64, 64), "takes an input of H W, not 5x64x64"),
        (QUICK_SYSTEM, None, "is of no network: give a training config"),
    ],
    ids=["fusion", "one axis", "nothing", "picture for a clip", "other size than trained", "flow", "system"],
)
def test_refused(path, shape, told):
    with pytest.raises(InputError, match=rf"^config .*{re.escape(told)}"):
        network_complexity(path, NAMES, shape=shape)
