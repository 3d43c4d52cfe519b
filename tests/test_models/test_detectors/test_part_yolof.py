"""YOLOF for parts: the best box of each class against a plain loop, and training in every odd case. K = 3."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from tpsparse.datasets.transforms import CropPerson, PackPartBoxes
from tpsparse.evaluation.metrics import PartParsingMetric
from tpsparse.registry import MODELS

K = 3
SIZE = (64, 48)  # of a crop
STRIDE = 16


def config(head="tpsparse.TiedYOLOFHead", **changes):
    head = dict(
        type=head,
        num_classes=K,
        in_channels=16,
        num_cls_convs=1,
        num_reg_convs=1,
        reg_decoded_bbox=True,
        anchor_generator=dict(type="AnchorGenerator", ratios=[1.0], scales=[0.5, 1, 2], strides=[STRIDE]),
        bbox_coder=dict(
            type="DeltaXYWHBBoxCoder",
            target_means=[0.0] * 4,
            target_stds=[1.0] * 4,
            add_ctr_clamp=True,
            ctr_clamp=STRIDE,
        ),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=1.0),
    )
    return dict(
        _scope_="mmdet",
        type="tpsparse.PartYOLOF",
        data_preprocessor=dict(type="DetDataPreprocessor", mean=[90.0] * 3, std=[60.0] * 3, pad_size_divisor=STRIDE),
        backbone=dict(
            type="ResNet",
            depth=18,
            base_channels=8,
            strides=(1, 2, 2, 1),
            out_indices=(3,),
            frozen_stages=-1,
            norm_eval=False,
            style="pytorch",
        ),
        neck=dict(
            type="DilatedEncoder",
            in_channels=64,
            out_channels=16,
            block_mid_channels=8,
            num_residual_blocks=2,
            block_dilations=[1, 2],
        ),
        bbox_head=head,
        train_cfg=dict(
            assigner=dict(type="UniformAssigner", pos_ignore_thr=0.15, neg_ignore_thr=0.7),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        test_cfg=dict(dict(score_thr=0.0), **changes),
    )


@pytest.fixture
def build(scope):
    def make(**changes):
        torch.manual_seed(0)
        model = MODELS.build(ConfigDict(copy.deepcopy(config(**changes))))
        model.init_weights()
        return model

    return make


def person(part_boxes=None, *, box=(0, 0, 48, 64), image=None):
    """A packed crop of a drawn frame of 64 x 96: part 0 red, part 1 green, part 2 blue."""
    part_boxes = np.full((K, 4), np.nan, np.float32) if part_boxes is None else np.array(part_boxes, np.float32)
    if image is None:
        image = np.full((64, 96, 3), 90, dtype=np.uint8)
        for part, (x0, y0, x1, y1) in enumerate(np.nan_to_num(part_boxes).astype(int)):
            image[y0:y1, x0:x1] = np.eye(3)[part] * 255
    sample = dict(img=image, box=np.array(box, np.float32), part_boxes=part_boxes, flip_parts=np.array([0, 2, 1]))
    return PackPartBoxes()(CropPerson(SIZE, padding=1.0)(dict(sample, video="v", frame_index=1)))


def batch(*items):
    return {key: [copy.deepcopy(item[key]) for item in items] for key in ("inputs", "data_samples")}


NAN = [np.nan] * 4
BODY = [[10, 10, 22, 22], [4, 20, 14, 44], [34, 20, 44, 44]]


class TestPredictions:
    @pytest.fixture
    def model(self, build):
        """Random weights whose scores are spread out."""
        model = build().eval()
        torch.nn.init.normal_(model.bbox_head.cls_score.weight, std=0.3)
        torch.nn.init.normal_(model.bbox_head.bbox_pred.weight, std=0.1)
        torch.nn.init.normal_(model.bbox_head.object_pred.weight, std=0.3)
        return model

    def by_hand(self, model, items):
        """Of each part the highest score over cells and anchors, its box by the equations of the box coder."""
        data = model.data_preprocessor(batch(*items), False)
        with torch.no_grad():
            (logits,), (deltas,) = model.bbox_head(model.extract_feat(data["inputs"]))
        results = []
        for crop in range(len(items)):
            best = [(-1.0, None)] * K
            for y in range(SIZE[0] // STRIDE):
                for x in range(SIZE[1] // STRIDE):
                    for anchor, side in enumerate([8, 16, 32]):
                        dx, dy, dw, dh = deltas[crop, 4 * anchor : 4 * anchor + 4, y, x].tolist()
                        shift = [float(np.clip(d * side, -STRIDE, STRIDE)) for d in (dx, dy)]
                        centre = np.array([x * STRIDE + shift[0], y * STRIDE + shift[1]])
                        half = np.exp([dw, dh]) * side / 2
                        box = np.clip([*(centre - half), *(centre + half)], 0, [SIZE[1], SIZE[0]] * 2)
                        for part in range(K):
                            score = torch.sigmoid(logits[crop, anchor * K + part, y, x]).item()
                            best[part] = max(best[part], (score, box), key=lambda pair: pair[0])
            results.append(best)
        return results

    def test_the_best_box_of_each_part(self, model):
        items = [person(BODY), person([BODY[0], NAN, BODY[2]], box=(40, 0, 88, 64))]
        with torch.no_grad():
            found = model.test_step(batch(*items))
        for best, result, left in zip(self.by_hand(model, items), found, (0, 40), strict=True):
            for part, (score, box) in enumerate(best):
                assert result.part_scores[part].item() == pytest.approx(score, rel=1e-5)
                np.testing.assert_allclose(result.part_boxes[part], box + [left, 0, left, 0], atol=1e-3)

    def test_boxes_are_brought_back_to_the_frame(self, model):
        # A crop of 24 x 32 pixels of the frame is drawn twice its size.
        small = person(BODY, box=(10, 20, 34, 52))
        same = dict(small, data_samples=small["data_samples"].clone())
        same["data_samples"].set_metainfo(dict(crop=np.array([0, 0, 48, 64], np.float32)))
        with torch.no_grad():
            one, other = model.test_step(batch(small, same))
        np.testing.assert_allclose(one.part_boxes, other.part_boxes / 2 + torch.tensor([10.0, 20, 10, 20]), atol=1e-4)
        np.testing.assert_allclose(one.gt_part_boxes, BODY, atol=1e-4)

    def test_in_pixels_of_the_crop(self, model):
        item = person(BODY, box=(10, 20, 34, 52))
        data = model.data_preprocessor(batch(item), False)
        with torch.no_grad():
            [result] = model.predict(data["inputs"], data["data_samples"], rescale=False)
        assert (result.part_boxes >= 0).all() and (result.part_boxes <= torch.tensor([48, 64, 48, 64])).all()
        np.testing.assert_allclose(result.gt_part_boxes[0], [0, -20, 24, 4], atol=1e-4)

    def test_threshold(self, model):
        with torch.no_grad():
            [free] = model.test_step(batch(person(BODY)))
            exactly = sorted(free.part_scores.tolist())[1]
            model.test_cfg = ConfigDict(score_thr=exactly)
            [cut] = model.test_step(batch(person(BODY)))
        lost = int(free.part_scores.argmin())
        assert cut.part_scores[lost] == 0 and cut.part_boxes[lost].isnan().all()
        kept = [part for part in range(K) if part != lost]
        np.testing.assert_array_equal(cut.part_boxes[kept], free.part_boxes[kept])
        np.testing.assert_array_equal(cut.part_scores[kept], free.part_scores[kept])

    def test_nothing_found(self, build):
        with torch.no_grad():
            [result] = build(score_thr=1.1).eval().test_step(batch(person(BODY)))
        assert result.part_boxes.isnan().all() and not result.part_scores.any()

    def test_without_annotation(self, model):
        item = person(BODY)
        del item["data_samples"].part_boxes, item["data_samples"].gt_instances
        with torch.no_grad():
            [result] = model.test_step(batch(item))
        assert "gt_part_boxes" not in result and result.part_boxes.shape == (K, 4)
        assert result.metainfo["video"] == "v"

    def test_nobody(self, model):
        assert model.predict(torch.zeros(0, 3, *SIZE), []) == []

    def test_a_person_of_two_pixels(self, model):
        item = person([[10, 10, 12, 12], NAN, NAN], box=(10, 10, 12, 12))
        with torch.no_grad():
            [result] = model.test_step(batch(item))
        assert result.part_boxes.isfinite().all()
        # The crop is 2 pixels wide and, in its proportions, 2 2/3 high.
        crop = torch.tensor([10, 11 - 4 / 3, 12, 11 + 4 / 3])
        assert (result.part_boxes[:, :2] >= crop[:2] - 1e-4).all() and (
            result.part_boxes[:, 2:] <= crop[2:] + 1e-4
        ).all()

    def test_mirrored_crops_are_refused(self, model):
        item = person(BODY)
        item["data_samples"].set_metainfo(dict(flipped=True))
        with pytest.raises(ValueError, match="leave FlipPerson out of the test pipeline"):
            model.test_step(batch(item))

    def test_the_metric_takes_it(self, model, tiny_taxonomy):
        metric = PartParsingMetric(taxonomy=tiny_taxonomy.to_meta())
        with torch.no_grad():
            found = model.test_step(batch(person(BODY), person([BODY[0], NAN, NAN])))
        metric.process(None, [sample.to_dict() for sample in found])
        numbers = metric.evaluate(2)
        assert {"part/part_AP", "part/part_AP50", "part/located"} <= set(numbers)
        assert not any("state" in name or "correct" in name for name in numbers)


class TestTraining:
    @pytest.mark.parametrize(
        "people",
        [
            [person(BODY)],
            [person([BODY[0], NAN, NAN]), person([NAN, NAN, BODY[2]])],
            [person(BODY), person()],
            [person()],
            [person([[80, 10, 90, 30], NAN, NAN])],
            [person([[10, 10, 12, 12], NAN, NAN], box=(10, 10, 12, 12))],
        ],
        ids=["whole", "absent parts", "one without parts", "nobody has parts", "part outside the crop", "two pixels"],
    )
    def test_losses_and_gradients(self, build, people):
        model = build().train()
        data = model.data_preprocessor(batch(*people), True)
        losses = model(**data, mode="loss")
        assert set(losses) == {"loss_cls", "loss_bbox"}
        total = sum(losses.values())
        assert torch.isfinite(total) and losses["loss_cls"] > 0
        total.backward()
        gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
        assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)

    @pytest.mark.parametrize("people", [[person(BODY)], [person(), person()]], ids=["parts", "nobody has parts"])
    def test_every_parameter_gets_a_gradient(self, build, people):
        """Processes wait for each other's gradients, so none may be left out."""
        model = build().train()
        sum(model(**model.data_preprocessor(batch(*people), True), mode="loss").values()).backward()
        assert not [name for name, weight in model.named_parameters() if weight.grad is None]

    def test_losses_are_mmdets(self, build):
        model, stock = build().train(), build(head="mmdet.YOLOFHead").train()
        people = batch(person(BODY), person())
        ours, theirs = (
            one(**one.data_preprocessor(copy.deepcopy(people), True), mode="loss") for one in (model, stock)
        )
        assert ours["loss_cls"] == theirs["loss_cls"] and ours["loss_bbox"] == theirs["loss_bbox"] > 0

    def test_mmdet_leaves_the_box_branch_out(self, build):
        """When this fails, the head of ours is no longer needed."""
        stock = build(head="mmdet.YOLOFHead").train()
        sum(stock(**stock.data_preprocessor(batch(person()), True), mode="loss").values()).backward()
        without = [name for name, weight in stock.named_parameters() if weight.grad is None]
        assert without == ["bbox_head.bbox_pred.weight", "bbox_head.bbox_pred.bias"]

    def test_learns_which_part_is_where(self, build):
        model = build().train()
        people = [person(BODY), person([BODY[0], BODY[2], BODY[1]])]
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        for _ in range(80):
            losses = model(**model.data_preprocessor(batch(*people), True), mode="loss")
            optimizer.zero_grad()
            sum(losses.values()).backward()
            optimizer.step()
        with torch.no_grad():
            found = model.eval().test_step(batch(*people))
        for result in found:
            error = (result.part_boxes - result.gt_part_boxes).abs()
            assert error.max() < 8 and error.mean() < 3
