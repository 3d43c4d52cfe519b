"""The registries that configs name things from.

Each is a child of mmengine's root registry under the scope ``tpsparse``, so a config may name a class of
this package plainly and a class of another OpenMMLab package with its scope, as in ``mmdet.Resize``.
"""

from mmengine import registry as root

SCOPE = "tpsparse"


def _child(parent: root.Registry, *locations: str) -> root.Registry:
    return root.Registry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


MODELS = _child(root.MODELS, "tpsparse.models", "tpsparse.parsing")
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, "tpsparse.parsing", "tpsparse.engine")
DATASETS = _child(root.DATASETS, "tpsparse.datasets.tasks", "tpsparse.datasets.tasks.poses")
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "tpsparse.engine")
TRANSFORMS = _child(root.TRANSFORMS, "tpsparse.datasets.transforms")
METRICS = _child(root.METRICS, "tpsparse.evaluation.metrics")
HOOKS = _child(root.HOOKS, "tpsparse.engine")
LOOPS = _child(root.LOOPS, "tpsparse.engine")
VISBACKENDS = _child(root.VISBACKENDS)

# The rest have nothing of ours yet; without a child of this scope mmengine warns at every look-up.
_UNCHANGED = [
    _child(registry)
    for registry in (
        root.EVALUATOR,
        root.FUNCTIONS,
        root.LOG_PROCESSORS,
        root.OPTIMIZERS,
        root.OPTIM_WRAPPERS,
        root.OPTIM_WRAPPER_CONSTRUCTORS,
        root.PARAM_SCHEDULERS,
        root.RUNNERS,
        root.RUNNER_CONSTRUCTORS,
        root.STRATEGIES,
        root.TASK_UTILS,
        root.VISUALIZERS,
        root.WEIGHT_INITIALIZERS,
    )
]

STAGES = root.Registry("stage", scope=SCOPE, locations=["tpsparse.parsing"])
FRAME_SAMPLERS = root.Registry("frame sampler", scope=SCOPE, locations=["tpsparse.datasets.frame_samplers"])
SEGMENTERS = root.Registry("segmenter", scope=SCOPE, locations=["tpsparse.datasets.segments"])
