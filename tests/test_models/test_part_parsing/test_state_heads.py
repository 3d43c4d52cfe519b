"""What each state head says of heatmaps and logits made by hand, 3 parts and 2 states on 2 x 4 cells."""

from __future__ import annotations

import pytest
import torch

from tpsparse.models.losses import part_state_mse, softmax_focal_loss, state_map_mse
from tpsparse.models.part_parsing import SharedHeatmapModule, StateHeatmapModule, StateParsingModule

CHANNELS, PARTS, STATES = 8, 3, 2
TWINS = torch.tensor([0, 2, 1])


def vectors(**changes) -> StateParsingModule:
    return StateParsingModule(in_channels=CHANNELS, num_parts=PARTS, num_states=STATES, state_channels=6, **changes)


def state_maps() -> StateHeatmapModule:
    return StateHeatmapModule(in_channels=CHANNELS, num_states=STATES)


def shared() -> SharedHeatmapModule:
    return SharedHeatmapModule(in_channels=CHANNELS, num_parts=PARTS, num_states=STATES)


def cover(*boxes: tuple[slice, slice]) -> torch.Tensor:
    """(1, K, 2, 4) with 1 in the given rows and columns of each part."""
    coverage = torch.zeros(1, len(boxes), 2, 4)
    for part, place in enumerate(boxes):
        coverage[0, part][place] = 1
    return coverage


@pytest.mark.parametrize(
    ("head", "width", "shape"),
    [(vectors, 6, (PARTS, STATES)), (state_maps, CHANNELS, (STATES, 2, 4)), (shared, CHANNELS, (PARTS, STATES, 2, 4))],
)
def test_shapes(head, width, shape):
    head = head()
    feature, output = head(torch.rand(5, CHANNELS, 2, 4))
    assert head.feature_dim == width and feature.shape == (5, width) and output.shape == (5, *shape)
    assert head.scores(output, torch.rand(5, PARTS, 2, 4)).shape == (5, PARTS, STATES)
    nothing = head.scores(head(torch.rand(0, CHANNELS, 2, 4))[1], torch.rand(0, PARTS, 2, 4))
    assert nothing.shape == (0, PARTS, STATES)


def test_feature_of_heatmaps_is_pooled():
    torch.manual_seed(0)
    visual = torch.rand(2, CHANNELS, 2, 4)
    for head in (state_maps().eval(), shared().eval()):
        feature, output = head(visual)
        torch.testing.assert_close(feature, head.features(visual).mean(dim=(2, 3)))
        torch.testing.assert_close(output.flatten(1, -3), head.heatmaps(head.features(visual)))


def test_losses_of_the_heads():
    generator = torch.Generator().manual_seed(0)
    masks, states = torch.rand(2, PARTS, 2, 4, generator=generator), torch.tensor([[0, 1, -1], [1, -1, 0]])
    logits = torch.randn(2, PARTS, STATES, generator=generator)
    assert vectors().loss(logits, masks, states) == softmax_focal_loss(logits, states, 2.0)
    assert vectors(gamma=0.0).loss(logits, masks, states) == softmax_focal_loss(logits, states, 0.0)
    maps = torch.randn(2, PARTS, STATES, 2, 4, generator=generator)
    assert shared().loss(maps, masks, states) == part_state_mse(maps, masks, states)
    assert state_maps().loss(maps[:, 0], masks, states) == state_map_mse(maps[:, 0], masks, states)


def test_scores_of_vectors_are_probabilities():
    logits = torch.log(torch.tensor([[[3.0, 1.0], [1.0, 1.0], [0.0, 1.0]]]))
    expected = torch.tensor([[[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]]])
    torch.testing.assert_close(vectors().scores(logits, torch.zeros(1, PARTS, 2, 4)), expected)


def test_scores_of_state_maps_by_hand():
    left, right = (slice(None), slice(0, 2)), (slice(None), slice(2, 4))
    maps = torch.zeros(1, STATES, 2, 4)
    maps[0, 0, :, 0], maps[0, 1, 0, 0] = 0.6, 0.4  # sums 1.2 and 0.4 in the left half
    maps[0, 0, :, 2:], maps[0, 1, :, 2:] = -5, 0.01  # cold counts as 0
    scores = state_maps().scores(maps, cover(left, right, (slice(0, 1), slice(0, 1))))
    # The last part is the first cell: 0.6 and 0.4.
    torch.testing.assert_close(scores, torch.tensor([[[0.75, 0.25], [0.0, 1.0], [0.6, 0.4]]]))


def test_scores_weigh_cells_by_coverage():
    maps = torch.zeros(1, STATES, 2, 4)
    maps[0, 0, 0, 0], maps[0, 1, 0, 1] = 1, 1
    coverage = torch.zeros(1, 1, 2, 4)
    coverage[0, 0, 0, :2] = torch.tensor([1.0, 0.25])
    torch.testing.assert_close(state_maps().scores(maps, coverage), torch.tensor([[[0.8, 0.2]]]))


def test_scores_of_shared_maps_are_each_parts_own():
    whole = (slice(None), slice(None))
    maps = torch.zeros(1, PARTS, STATES, 2, 4)
    maps[0, 0, 0], maps[0, 0, 1] = 0.1, 0.3
    maps[0, 1, 0] = 0.5
    maps[0, 2, 0], maps[0, 2, 1, 1] = -1, -1
    scores = shared().scores(maps, cover(whole, whole, whole))
    # The third part has no heat at all: every state is as likely.
    torch.testing.assert_close(scores, torch.tensor([[[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]]))


def test_ties_and_boxes_without_area_are_equal_shares():
    maps = torch.ones(1, STATES, 2, 4)
    outside = torch.zeros(1, 2, 2, 4)
    outside[0, 0] = 1
    torch.testing.assert_close(state_maps().scores(maps, outside), torch.full((1, 2, STATES), 0.5))


def test_sum_over_states_is_the_parts_heatmap():
    masks = torch.rand(1, PARTS, 2, 4, generator=torch.Generator().manual_seed(0))
    # What the best fit shows where a part is in state 0 three times in four.
    expected = torch.stack([0.75 * masks, 0.25 * masks], dim=2)
    torch.testing.assert_close(shared().part_heatmaps(expected), masks)
    scores = shared().scores(expected, masks)
    torch.testing.assert_close(scores, torch.tensor([0.75, 0.25]).expand(1, PARTS, STATES))


def test_mirrored_outputs_are_turned_back():
    logits = torch.arange(6.0).view(1, PARTS, STATES)
    assert vectors().mirror(logits, TWINS).tolist() == [[[0, 1], [4, 5], [2, 3]]]
    maps = torch.arange(4.0).expand(1, STATES, 2, 4)
    assert state_maps().mirror(maps, TWINS)[0, 1].tolist() == [[3, 2, 1, 0]] * 2
    pairs = torch.zeros(1, PARTS, STATES, 2, 4)
    pairs[0, 1, 0, 0, 0] = 7  # the left part, seen at the left of the mirrored crop
    back = shared().mirror(pairs, TWINS)
    assert back[0, 2, 0, 0, 3] == 7 and back.count_nonzero() == 1
