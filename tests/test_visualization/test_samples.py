from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement, InstanceData

from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy
from tpsparse.visualization import overlay, samples
from tpsparse.visualization.palette import INK, OBJECT, WHITE, part_colours
from tpsparse.visualization.samples import MASK_OPACITY, SHORT_SIDE, draw_sample, index_sheet

TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "step_on"),
    actions=("hurling_(sport)", "lunge"),
)
NAN_BOX = [np.nan] * 4
LEGEND = ("head", "arm L, R")
RED, BLUE = (200, 10, 20), (5, 15, 220)


@pytest.fixture
def texts(monkeypatch):
    """What is written on the pictures, in order."""
    written = []

    class Noting(samples.Canvas):
        def text(self, x, y, text, **style):
            written.append(text)
            super().text(x, y, text, **style)

    monkeypatch.setattr(samples, "Canvas", Noting)
    monkeypatch.setattr(overlay, "Canvas", Noting)
    return written


def plain(height: int, width: int, colour=RED) -> torch.Tensor:
    """An image (3, H, W) of one colour."""
    return torch.tensor(colour, dtype=torch.uint8)[:, None, None].expand(3, height, width).clone()


def frame_sample(boxes, image=None, **meta):
    labels = DetDataSample(gt_instances=InstanceData(bboxes=boxes))
    labels.set_metainfo({"video": "a (b) ü", "frame_index": 7, "action": 0, "flip": True, **meta})
    return {"inputs": plain(SHORT_SIDE, 500) if image is None else image, "data_samples": labels}


def part_sample(boxes, states, image=None, **meta):
    labels = BaseDataElement(metainfo={"video": "v", "frame_index": 3, "flipped": False, **meta})
    labels.part_boxes = torch.tensor(boxes, dtype=torch.float32)
    labels.part_states = torch.tensor(states)
    return {"inputs": plain(SHORT_SIDE, 300) if image is None else image, "data_samples": labels}


def clip_sample(inputs, numbers, action=1, **meta):
    labels = ActionDataSample().set_gt_label(action)
    labels.set_metainfo({"video": "v", "frame_inds": np.array(numbers), "flip": False, **meta})
    return {"inputs": inputs, "data_samples": labels}


class TestPose:
    def test_keypoints_lie_in_the_crop(self):
        """A box of 40 pixels about (60, 50) on 80 pixels: (70, 40) is 10 right of and above its centre, so 20 of the
        crop's pixels from (40, 40)."""
        from mmengine.structures import InstanceData
        from mmpose.structures import PoseDataSample

        labels = PoseDataSample(metainfo=dict(input_size=(80, 80), input_center=(60.0, 50.0), input_scale=(40.0, 40.0)))
        keypoints, visible = np.full((1, 17, 2), 60.0), np.zeros((1, 17))
        keypoints[0, 9], visible[0, 9] = (70.0, 40.0), 1.0
        labels.gt_instances = InstanceData(keypoints=keypoints, keypoints_visible=visible)
        drawn = draw_sample({"inputs": torch.zeros((3, 80, 80), dtype=torch.uint8), "data_samples": labels}, TAXONOMY)
        pane = drawn[-SHORT_SIDE:, -SHORT_SIDE:]
        rows, columns = np.nonzero(pane.any(axis=2))
        scale = SHORT_SIDE / 80
        assert abs(columns.mean() - 60 * scale) < 2 and abs(rows.mean() - 20 * scale) < 2


class TestFrames:
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_box_and_pixels_stand_where_they_are(self, wrapped):
        from mmdet.structures.bbox import HorizontalBoxes

        boxes = torch.tensor([[50.0, 100.0, 150.0, 300.0]])
        image = plain(SHORT_SIDE, 500)
        image[:, :, 250:] = plain(SHORT_SIDE, 250, BLUE)
        picture = draw_sample(frame_sample(HorizontalBoxes(boxes) if wrapped else boxes, image), TAXONOMY)
        head = picture.shape[0] - SHORT_SIDE
        assert tuple(picture[head + 10, 10]) == RED and tuple(picture[head + 10, 490]) == BLUE
        assert tuple(picture[head + 200, 50]) == WHITE and tuple(picture[head + 300, 100]) == WHITE
        assert tuple(picture[head + 200, 100]) == RED

    def test_small_frame_is_enlarged_with_its_boxes(self):
        sample = frame_sample(torch.tensor([[10.0, 20.0, 30.0, 40.0]]), plain(SHORT_SIDE // 4, 200))
        picture = draw_sample(sample, TAXONOMY)
        head = picture.shape[0] - SHORT_SIDE
        assert picture.shape[1] == 800 and tuple(picture[head + 120, 40]) == WHITE

    def test_caption(self, texts):
        draw_sample(frame_sample(torch.zeros((2, 4))), TAXONOMY)
        place = f"a (b) ü  ·  frame 7  ·  2 persons  ·  flipped  ·  {SHORT_SIDE} x 500 pixels"
        assert texts == ["hurling (sport)", place]

    @pytest.mark.parametrize(("count", "told"), [(0, "0 persons"), (1, "1 person  "), (2, "2 persons")])
    def test_number_of_persons(self, texts, count, told):
        draw_sample(frame_sample(torch.ones((count, 4))), TAXONOMY)
        assert told in texts[1]

    @pytest.mark.parametrize(("meta", "told"), [({"flip": False}, "not flipped"), ({"flip": None}, None)])
    def test_flip_is_told_where_it_is_known(self, texts, meta, told):
        draw_sample(frame_sample(torch.zeros((0, 4)), **meta), TAXONOMY)
        assert ("flipped" in texts[1]) == (told is not None) and (told is None or told in texts[1])

    def test_floats_beyond_the_range_of_colours(self):
        image = torch.full((3, SHORT_SIDE, 400), 300.0)
        image[:, :, :200] = -40.0
        picture = draw_sample(frame_sample(torch.zeros((0, 4)), image), TAXONOMY)
        assert tuple(picture[-5, 5]) == (0, 0, 0) and tuple(picture[-5, 395]) == (255, 255, 255)


class TestParts:
    boxes = [[30.0, 40.0, 90.0, 100.0], [100.0, 150.0, 200.0, 250.0], NAN_BOX]

    def test_panes(self):
        """Input, boxes, masks, list: 300 pixels wide but for the list, with 4 between."""
        masks = torch.zeros((1, 3, 12, 10))
        masks[0, 1, 6:, 5:] = 1  # the lower right quarter
        sample = part_sample(self.boxes, [1, 2, -1])
        picture = draw_sample(sample, TAXONOMY, encode=lambda given: masks)
        head = picture.shape[0] - SHORT_SIDE
        colours = part_colours(TAXONOMY)
        assert tuple(picture[head + 40, 60]) == RED and tuple(picture[head + 40, 304 + 60]) == colours[0]
        assert tuple(picture[head + 200, 304 + 100]) == colours[1]
        grey = 0.6 * round(0.299 * RED[0] + 0.587 * RED[1] + 0.114 * RED[2])
        assert np.allclose(picture[head + 5, 608 + 5], grey, atol=1)
        mixed = grey * (1 - MASK_OPACITY) + np.array(colours[1]) * MASK_OPACITY
        assert np.allclose(picture[-5, 608 + 295], mixed, atol=1)
        assert np.allclose(picture[-5, 608 + 145], grey, atol=1)
        assert tuple(picture[-1, 912]) == INK and (picture[-1, 908:912] == 255).all()

    def test_encode_is_given_what_the_network_is(self):
        asked = []
        sample = part_sample(self.boxes, [1, 2, -1])
        draw_sample(sample, TAXONOMY, encode=lambda given: asked.append(given) or torch.zeros((1, 3, 4, 4)))
        [given] = asked
        assert given.shape == (1, 3, 4) and given[0, :2].tolist() == self.boxes[:2] and given[0, 2].isnan().all()

    def test_without_codec_there_are_no_masks(self):
        sample = part_sample(self.boxes, [1, 2, -1])
        without = draw_sample(sample, TAXONOMY)
        masked = draw_sample(sample, TAXONOMY, encode=lambda given: torch.zeros((1, 3, 4, 4)))
        assert masked.shape[1] - without.shape[1] == 304

    def test_texts(self, texts):
        draw_sample(part_sample(self.boxes, [1, 2, -1]), TAXONOMY)
        assert texts == [
            *("head", "bend", "L arm", "step on", "R arm", "-"),
            "input, part boxes, states",
            f"v  ·  frame 3  ·  not flipped  ·  {SHORT_SIDE} x 300 pixels",
        ]

    def test_nothing_annotated(self, texts):
        draw_sample(part_sample([NAN_BOX] * 3, [-1] * 3), TAXONOMY)
        assert texts[:6] == ["head", "-", "L arm", "-", "R arm", "-"]

    def test_small_part_lies_on_a_large_one(self):
        masks = torch.zeros((1, 3, 4, 4))
        masks[0, 1, 0, 0], masks[0, 2] = 1, 1
        picture = draw_sample(part_sample(self.boxes, [1, 2, -1]), TAXONOMY, encode=lambda given: masks)
        head = picture.shape[0] - SHORT_SIDE
        small, large = picture[head + 10, 618].astype(int), picture[-10, 618].astype(int)
        colours = np.array(part_colours(TAXONOMY))
        assert np.abs(small - colours[1]).sum() < np.abs(small - colours[2]).sum()
        assert np.abs(large - colours[2]).sum() < np.abs(large - colours[1]).sum()


class TestClips:
    def test_images_stand_in_order(self):
        clip = torch.stack([plain(128, 128, (10 * t, 0, 0)) for t in range(10)], dim=1)[None]
        picture = draw_sample(clip_sample(clip, range(1, 11)), TAXONOMY)
        head = picture.shape[0] - (2 * 128 + 4)
        for t in range(10):
            row, column = divmod(t, 8)
            assert tuple(picture[head + row * 132 + 100, column * 132 + 100]) == (10 * t, 0, 0)

    def test_numbers_and_caption(self, texts):
        draw_sample(clip_sample(torch.zeros((1, 3, 4, 64, 96), dtype=torch.uint8), [2, 4, 6, 8]), TAXONOMY)
        assert texts == ["2", "4", "6", "8", "lunge", "v  ·  1 clip of 4  ·  not flipped  ·  64 x 96 pixels"]

    def test_crops_of_the_same_frames_have_the_same_numbers(self, texts):
        draw_sample(clip_sample(torch.zeros((4, 3, 2, 64, 64), dtype=torch.uint8), [1, 3, 5, 7]), TAXONOMY)
        assert texts[:8] == ["1", "3", "5", "7", "1", "3", "5", "7"]

    def test_images_without_a_clip_axis(self, texts):
        draw_sample(clip_sample(torch.zeros((3, 3, 64, 64), dtype=torch.uint8), [5, 10, 15]), TAXONOMY)
        assert texts[:3] == ["5", "10", "15"] and "1 clip of 3" in texts[-1]

    @pytest.mark.parametrize(
        ("clips", "length", "shown"), [(2, 32, (2, 32)), (3, 32, (2, 32)), (1, 64, (1, 64)), (2, 100, (1, 64))]
    )
    def test_no_more_than_can_be_looked_at(self, texts, clips, length, shown):
        inputs = torch.zeros((clips, 3, length, 8, 8), dtype=torch.uint8)
        draw_sample(clip_sample(inputs, range(1, clips * length + 1)), TAXONOMY)
        numbers = texts[:-2]
        assert len(numbers) == shown[0] * shown[1] and numbers[0] == "1" and str(length) in numbers
        assert (f"({shown[0]} with {shown[1]} images shown)" in texts[-1]) == (shown != (clips, length))

    def test_states_of_part_groups(self, texts):
        sample = clip_sample(torch.zeros((1, 3, 2, 8, 8)), [1, 2], states=np.array([2, -1]))
        draw_sample(sample, TAXONOMY)
        assert texts[2:4] == ["lunge", "head: step on, arm: -"]

    def test_without_numbers_or_label(self, texts):
        labels = ActionDataSample()
        draw_sample({"inputs": torch.zeros((1, 3, 2, 8, 8)), "data_samples": labels}, TAXONOMY)
        assert texts == ["1 clip of 2  ·  8 x 8 pixels"]


class TestFrameParts:
    def sample(self, persons=1, *, relevance=True):
        labels = BaseDataElement(metainfo=dict(video="a (b) ü", frame_index=7, flipped=False))
        parts = [[20.0, 20, 60, 60], [100, 20, 140, 60], NAN_BOX]
        labels.boxes = torch.tensor([[10.0, 10, 150, 200]])[:persons]
        labels.part_boxes = torch.tensor([parts])[:persons]
        labels.object_boxes = torch.tensor([[200.0, 30, 240, 70]] * 2)
        if relevance:
            labels.relevance = torch.tensor([[1.0, 0.0, -1.0]])[:persons]
        return {"inputs": plain(SHORT_SIDE, 400), "data_samples": labels}

    def test_boxes_and_relevance(self, texts):
        picture = draw_sample(self.sample(), TAXONOMY)
        pane = picture[-SHORT_SIDE:, 404:]
        colours = part_colours(TAXONOMY)
        assert (pane[40, 20] == colours[0]).all() and (pane[100, 10] == WHITE).all()
        assert (pane[30, 100:141] == colours[1]).all(axis=1).any()
        assert (pane[30:70, 200] == OBJECT).all(axis=1).any()
        # The head is relevant and filled, the arm is not.
        assert (pane[40, 120] == RED).all() and not (pane[40, 40] == RED).all()
        assert (picture[-SHORT_SIDE:, :400] == RED).all()
        assert texts == [
            *LEGEND,
            "input, part boxes (filled: relevant)",
            "a (b) ü  ·  frame 7  ·  1 person, 2 objects  ·  not flipped  ·  384 x 400 pixels",
        ]

    @pytest.mark.parametrize("persons", [0, 1])
    def test_without_relevance_and_without_anybody(self, texts, persons):
        pane = draw_sample(self.sample(persons, relevance=False), TAXONOMY)[-SHORT_SIDE:, 404:]
        assert (pane[40, 40] == RED).all() and texts[2] == "input, part boxes"

    def test_states_objects_and_the_action(self, texts):
        """States stand at their parts, without those that say nothing or are not known."""
        taxonomy = Taxonomy(TAXONOMY.parts, TAXONOMY.states, TAXONOMY.actions, ("none", "hockey_stick"))
        sample = self.sample()
        sample["data_samples"].set_metainfo(dict(action=1))
        sample["data_samples"].part_states = torch.tensor([[2, 0, 1]])  # the last part has no box
        sample["data_samples"].object_labels = torch.tensor([1, 0])
        draw_sample(sample, taxonomy)
        assert texts[:6] == ["step on", "hockey stick", "none", *LEGEND, "lunge"]
        texts.clear()
        sample["data_samples"].part_states = torch.tensor([[-1, 1, -1]])
        draw_sample(sample, taxonomy)
        assert texts[0] == "bend"


class TestPartsAndObjects:
    """What the detector of parts and objects is given: its classes are 3 parts, then 2 objects."""

    NAMES = Taxonomy(TAXONOMY.parts, TAXONOMY.states, TAXONOMY.actions, ("head", "hockey_stick"))
    CLASSES = (*TAXONOMY.parts, "head (object)", "hockey_stick")
    BOXES = ([20.0, 60, 60, 100], [100, 60, 140, 100], [180, 60, 220, 100], [260, 60, 320, 100])

    def sample(self, *ids, **meta):
        sample = frame_sample(torch.tensor(self.BOXES[: len(ids)]).reshape(-1, 4), **meta)
        sample["data_samples"].gt_instances.labels = torch.tensor(ids, dtype=torch.int64)
        return sample

    def pane(self, sample):
        return draw_sample(sample, self.NAMES, classes=self.CLASSES)[-SHORT_SIDE:, 504:]

    def share(self, pane, box, colour):
        """Of the left edge of a box."""
        x0, y0, _, y1 = (int(value) for value in box)
        return (pane[y0 + 3 : y1 - 3, x0] == colour).all(axis=1).mean()

    def test_colours_and_dashes(self):
        pane, colours = self.pane(self.sample(0, 1, 2, 4)), part_colours(self.NAMES)
        head, left, right, thing = (
            self.share(pane, box, colour) for box, colour in zip(self.BOXES, (*colours, OBJECT))
        )
        assert head == left == 1 and 0.2 < right < 0.9 and 0.2 < thing < 0.9

    def test_sides_that_were_swapped_are_seen(self):
        """The same boxes, left and right exchanged: colours follow the class, not the place."""
        pane, colours = self.pane(self.sample(0, 2, 1)), part_colours(self.NAMES)
        assert 0.2 < self.share(pane, self.BOXES[1], colours[2]) < 0.9
        assert self.share(pane, self.BOXES[2], colours[1]) == 1

    def test_texts(self, texts):
        picture = draw_sample(self.sample(0, 1, 3, 4), self.NAMES, classes=self.CLASSES)
        place = f"a (b) ü  ·  frame 7  ·  2 parts, 2 objects  ·  flipped  ·  {SHORT_SIDE} x 500 pixels"
        assert texts == ["head (object)", "hockey stick", *LEGEND, "hurling (sport)", place]
        assert (picture[-SHORT_SIDE:, :500] == RED).all()  # the input, with nothing on it

    @pytest.mark.parametrize(
        ("ids", "told"), [((), "0 parts, 0 objects"), ((1,), "1 part, 0 objects"), ((3,), "0 parts, 1 object")]
    )
    def test_counts(self, texts, ids, told):
        draw_sample(self.sample(*ids), self.NAMES, classes=self.CLASSES)
        assert f"  ·  {told}  ·  " in texts[-1]

    @pytest.mark.parametrize("classes", [(), ("person",)])
    def test_classes_of_a_person_detector(self, texts, classes):
        draw_sample(self.sample(0, 0), self.NAMES, classes=classes)
        assert "2 persons" in texts[-1]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"context": torch.zeros(3)}, "a dict"),
        (torch.zeros((1, 17, 8, 56, 56)), "shape (1, 17, 8, 56, 56)"),
        (torch.zeros((1, 96, 96)), "shape (1, 96, 96)"),
        (torch.zeros(3), "shape (3,)"),
    ],
)
def test_inputs_that_are_no_pictures(inputs, told):
    with pytest.raises(InputError) as error:
        draw_sample({"inputs": inputs, "data_samples": BaseDataElement()}, TAXONOMY)
    assert told in str(error.value) and "nothing to draw" in str(error.value)


class TestIndexSheet:
    def test_names_stand_over_pictures(self, texts):
        pictures = [np.full((50, 100, 3), value, np.uint8) for value in (10, 20, 30)]
        sheet = index_sheet(pictures, ["001.jpg", "002.jpg", "003.jpg"], columns=2, width=200)
        assert texts == ["001.jpg", "002.jpg", "003.jpg"]
        head = sheet.shape[0] // 2 - 4 - 50
        assert sheet.shape[1] == 408 and (sheet[head + 25, 50] == 10).all() and (sheet[head + 25, 258] == 20).all()
        assert (sheet[-25, 50] == 30).all() and (sheet[-25, 258] == 255).all()

    def test_wide_pictures_are_made_smaller(self):
        assert index_sheet([np.zeros((100, 2000, 3), np.uint8)], ["001.jpg"], width=500).shape[1] == 500

    def test_none(self):
        with pytest.raises(ValueError):
            index_sheet([], [])
