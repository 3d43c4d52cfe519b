"""People and their landmarks by MediaPipe Pose; the one module of this package that needs MediaPipe.

Its ready-made solution gives one person an image. The two graphs that it is made of, both in the wheel with their
models, are run apart here: the detector on every view of a frame, and the landmark network on every person found, so
that several persons come out. Shapes: H, W of a frame; L = 33 landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np

from ..errors import InputError
from .landmarks import Pose
from .views import Rect, Region, distinct_poses, distinct_regions, upright_region, view_around

# How `make annotate` installs it.
_REMEDY = "run make annotate (pip install --no-deps -r requirements/annotate.txt)"
_DETECTOR = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""
_LANDMARKS = """
input_stream: "image"
input_stream: "region"
output_stream: "landmarks"
output_stream: "world"
output_stream: "circle"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "AUXILIARY_LANDMARKS:circle"
}
"""
# The landmark network was trained on squares a quarter larger than the body's circle: modules/pose_landmark/
# pose_detection_to_roi.pbtxt in MediaPipe.
_REGION_SCALE = 1.25


class PoseEstimator:
    """The people of a video, frame by frame: a person found in one frame is looked for at the same place in the next.

    Args:
        views: Parts of the frame in which new people are looked for, as from :func:`views.tile_views`.
        max_persons: At most so many a frame, the surest.
        detect_every: New people are looked for in every so many frames, and whenever nobody is known.

    Raises:
        InputError: If MediaPipe is not installed, or not as ``requirements/annotate.txt`` says.
    """

    def __init__(self, views: Sequence[Rect], *, max_persons: int = 10, detect_every: int = 3) -> None:
        check_installed()
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.python.solution_base import SolutionBase

        def graph(text: str, outputs: list[str]) -> Any:
            return SolutionBase(
                graph_config=text_format.Parse(text, calculator_pb2.CalculatorGraphConfig()), outputs=outputs
            )

        self.views = list(views)
        self.max_persons = max_persons
        self.detect_every = detect_every
        self._detector = graph(_DETECTOR, ["detections"])
        self._landmarks = graph(_LANDMARKS, ["landmarks", "world", "circle"])
        self._known: list[Region] = []
        self._asked = 0

    def __enter__(self) -> PoseEstimator:
        return self

    def __exit__(self, *_: object) -> None:
        self._detector.close()
        self._landmarks.close()

    def find(self, image: np.ndarray) -> list[Pose]:
        """The people in the next frame (H, W, 3) uint8 RGB, the surest first."""
        regions = list(self._known)
        if not regions or self._asked % self.detect_every == 0:
            regions += self._detect(image, self.views)
        self._asked += 1
        found = [person for region in distinct_regions(regions) if (person := self._estimate(image, region))]
        kept = distinct_poses([pose for pose, _ in found], self.max_persons)
        self._known = [found[i][1] for i in kept]
        return [found[i][0] for i in kept]

    def find_at(self, image: np.ndarray, boxes: np.ndarray) -> list[Pose]:
        """The people at boxes (P, 4) of a frame (H, W, 3) uint8 RGB, whatever the frames before; maybe others, too.

        The detector looks at the surroundings of each box; where it finds nobody whose hips are in the box, the
        landmark network is shown the box as if a body stood upright in it. The order of the boxes does not matter.
        """
        regions = [region for box in boxes for region in self._regions_at(image, box)]
        # Of regions that nearly repeat each other the first is kept.
        regions.sort(key=lambda region: (-region.score, region.centre, region.rim))
        found = [person for region in distinct_regions(regions) if (person := self._estimate(image, region))]
        poses = [pose for pose, _ in found]
        return [poses[i] for i in distinct_poses(poses, len(poses))]

    def _regions_at(self, image: np.ndarray, box: np.ndarray) -> list[Region]:
        view = view_around(box, (image.shape[0], image.shape[1]))
        if view is None:
            return []
        found = self._detect(image, [view])
        inside = [region for region in found if (box[:2] <= region.centre).all() and (region.centre <= box[2:]).all()]
        return inside or [upright_region(box)]

    def _detect(self, image: np.ndarray, views: Sequence[Rect]) -> list[Region]:
        regions = []
        for x0, y0, x1, y1 in views:
            # The graph keeps the memory of its input, so it is given one of its own.
            found = self._detector.process(np.array(image[y0:y1, x0:x1], order="C"))
            for detection in found.detections or []:
                centre, rim = (
                    (x0 + point.x * (x1 - x0), y0 + point.y * (y1 - y0))
                    for point in detection.location_data.relative_keypoints[:2]
                )
                regions.append(Region(centre, rim, float(detection.score[0])))
        return sorted(regions, key=lambda region: -region.score)

    def _estimate(self, image: np.ndarray, region: Region) -> tuple[Pose, Region] | None:
        """The person in a region, and where to look for it in the next frame; None if the network sees nobody."""
        from mediapipe.framework.formats import rect_pb2

        height, width = image.shape[:2]
        side = 2 * _REGION_SCALE * region.radius
        rect = rect_pb2.NormalizedRect(
            x_center=region.centre[0] / width,
            y_center=region.centre[1] / height,
            width=side / width,
            height=side / height,
            rotation=region.rotation,
        )
        found = self._landmarks.process({"image": np.ascontiguousarray(image), "region": rect})
        if found.landmarks is None:
            return None
        rows = found.landmarks.landmark
        # The depth has the scale of x, whose unit is the frame's width.
        points = np.array([[row.x * width, row.y * height, row.z * width] for row in rows])
        visibility = np.array([min(row.visibility, row.presence) for row in rows])
        world = np.array([[row.x, row.y, row.z] for row in found.world.landmark])
        score = float(visibility.mean())
        centre, rim = ((point.x * width, point.y * height) for point in found.circle.landmark[:2])
        return Pose(points, world, visibility, score), Region(centre, rim, score)


def check_installed() -> None:
    """Refuse to begin without MediaPipe, or with one that cannot work.

    Raises:
        InputError: With what to run.
    """
    try:
        mediapipe, protobuf = (metadata.version(name) for name in ("mediapipe", "protobuf"))
    except metadata.PackageNotFoundError as error:
        raise InputError(f"{error.name} is not installed, which finds people in videos: {_REMEDY}") from error
    # MediaPipe 1 has no pose models; from protobuf 7 on field descriptors lack `label`, which MediaPipe 0.10 reads.
    if not mediapipe.startswith("0.10.") or int(protobuf.split(".")[0]) >= 7:
        raise InputError(f"mediapipe {mediapipe} with protobuf {protobuf} cannot find people: {_REMEDY}")
