"""Annotations to one COCO file and back, to correct them in CVAT or to look at them in FiftyOne.

One image a frame, its ``file_name`` ``<action>/<video>/img_00001.jpg`` as `tools/prepare_data.py frames` extracts it;
boxes are in pixels of that image: of the video's frame, or of the extracted one where that is smaller. Categories are
``person``, each part by its name, and each object as ``object:<name>``. Every annotation is a box with ``attributes``:

    person     the number of the person, on persons and on their parts: it tells whose part it is
    state      of a part
    number     of a part or object
    original   JSON: where in the frame's file the box came from, and all that the file says of it

``original`` makes the way there and back exact, with keys that nobody knows, whatever happens to ids, order and
decimals; what is changed in the box, the category or the other attributes wins over it. It can be left empty. What
belongs to the frame itself is in the image's field ``original``, and what has no usable box stays in ROOT.

Who reads it:

- COCO's own format (https://cocodataset.org/#format-data), by pycocotools and whatever is built on it.
- CVAT, format "COCO 1.0" (https://docs.cvat.ai/docs/manual/advanced/formats/format-coco/): it matches frames by
  ``file_name``, takes boxes where ``segmentation`` is empty, rounds coordinates to two decimals, gives new ids, writes
  ``attributes`` as text and drops every other field. It keeps only those attributes that the task's labels declare, so
  export also writes ``<file>_cvat_labels.json`` to paste into the "Raw" tab of the task's labels; an attribute holds
  4,096 characters. Frames have to be uploaded with their folders.
- FiftyOne's ``COCODetectionDataset`` (https://docs.voxel51.com/api/fiftyone.utils.coco.html): ``labels_path`` is the
  file and ``data_path`` is ROOT/<split>_frames; each of ``attributes`` becomes a field of its detection, and stands
  beside the box where FiftyOne exports it.

Memory: export holds one frame at a time, under 100 MB in all. Import holds the whole file, about four times its size
on the disk: 1.4 kB an annotation, so 14 GB for the 10 M boxes of Kinetics-TPS, whose file takes 3.5 GB. Export a named
split, or what is to be corrected.
"""

from .exporting import export_coco
from .importing import import_coco

__all__ = ["export_coco", "import_coco"]
