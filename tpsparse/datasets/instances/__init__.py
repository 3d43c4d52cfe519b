"""Action instances in TAPOS's annotation format: names, annotations, subsets, what is wrong with them, cutting.

``names`` and ``annotation`` read the format by the rules of ``checks``, ``index`` is what data sets read, ``layout``
knows the folders, ``validation`` lists all that is wrong, and ``cutting`` makes a video of each instance.
"""

from .annotation import Instance
from .index import InstanceIndex, is_instance_root, names_at, open_instances
from .names import InstanceName, parse_name

__all__ = ["Instance", "InstanceIndex", "InstanceName", "is_instance_root", "names_at", "open_instances", "parse_name"]
