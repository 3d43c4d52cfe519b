"""Part State Correctness (PSC), as the released evaluation script of Kinetics-TPS computes it.

Where the organisers' README says "greater than", the script accepts equality for parts. A correct part earns one
divided by the number of its proposals.

Shapes: N annotated parts, M proposals, G groups of parts (persons or frames). Boxes are ``xyxy`` in pixels.
"""

from __future__ import annotations

import numpy as np

from .matching import inclusive_iou


def part_rewards(
    boxes: np.ndarray,
    states: np.ndarray,
    *,
    proposal_boxes: np.ndarray,
    proposal_states: np.ndarray,
    proposal_parts: np.ndarray,
    threshold: float,
) -> np.ndarray:
    """Reward in [0, 1] of every annotated part.

    Args:
        boxes: (N, 4) annotated boxes.
        states: (N,) annotated states, as ids.
        proposal_boxes: (M, 4).
        proposal_states: (M,) ids.
        proposal_parts: (M,) for each proposal the row of its annotated part.
        threshold: A proposal is correct when its IoU is at least this and its state is the annotated one.

    Returns:
        (N,) 1 / number of proposals where any proposal is correct, else 0.
    """
    iou = inclusive_iou(boxes[proposal_parts], proposal_boxes)
    right = (iou >= threshold) & (proposal_states == states[proposal_parts])
    proposals = np.bincount(proposal_parts, minlength=len(boxes))
    correct = np.bincount(proposal_parts, weights=right, minlength=len(boxes)) > 0
    return correct / np.maximum(proposals, 1)


def frame_means(rewards: np.ndarray, part_persons: np.ndarray, person_frames: np.ndarray, frames: int) -> np.ndarray:
    """PSC of every frame: the mean reward of all annotated parts of all its persons.

    Args:
        rewards: (N,) from :func:`part_rewards`.
        part_persons: (N,) row of each part's person.
        person_frames: (P,) row of each person's frame.
        frames: Number of frames.

    Returns:
        (frames,) means; NaN for a frame without annotated parts.
    """
    # Summed by person and then by frame, one after another, as the script does: a PSC exactly at a threshold of
    # the score stays there to the last bit.
    persons = np.bincount(part_persons, weights=rewards, minlength=len(person_frames))
    sums = np.bincount(person_frames, weights=persons, minlength=frames)
    counts = np.bincount(person_frames[part_persons], minlength=frames)
    return np.divide(sums, counts, out=np.full(frames, np.nan), where=counts > 0)


def video_psc(frames: np.ndarray) -> float:
    """PSC of a video: the mean over its frames' PSC (T,) that are not NaN, and 1.0 when there is none."""
    counted = frames[~np.isnan(frames)]
    return float(np.cumsum(counted)[-1] / len(counted)) if len(counted) else 1.0
