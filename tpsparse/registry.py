"""The registries that configs name things from.

Each is a child of mmengine's root registry under the scope ``tpsparse``, so a config may name a class of
this package plainly and a class of another OpenMMLab package with its scope, as in ``mmdet.Resize``.
"""

from mmengine import registry as root

SCOPE = "tpsparse"

MODELS = root.Registry("model", parent=root.MODELS, scope=SCOPE, locations=["tpsparse.models", "tpsparse.parsing"])
DATASETS = root.Registry("dataset", parent=root.DATASETS, scope=SCOPE, locations=["tpsparse.datasets"])
TRANSFORMS = root.Registry("transform", parent=root.TRANSFORMS, scope=SCOPE, locations=["tpsparse.datasets"])
DATA_SAMPLERS = root.Registry("data sampler", parent=root.DATA_SAMPLERS, scope=SCOPE, locations=["tpsparse.datasets"])
METRICS = root.Registry("metric", parent=root.METRICS, scope=SCOPE, locations=["tpsparse.evaluation"])
HOOKS = root.Registry("hook", parent=root.HOOKS, scope=SCOPE, locations=["tpsparse.engine"])
STAGES = root.Registry("stage", scope=SCOPE, locations=["tpsparse.parsing"])
FRAME_SAMPLERS = root.Registry("frame sampler", scope=SCOPE, locations=["tpsparse.datasets"])
