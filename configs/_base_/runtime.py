"""What every run has: hooks, logs, seeds, processes."""

default_scope = "tpsparse"

default_hooks = dict(
    runtime_info=dict(type="RuntimeInfoHook"),
    timer=dict(type="IterTimerHook"),
    data_share=dict(type="DataShareHook", limit=0.1),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type="DistSamplerSeedHook"),
)
custom_hooks = [
    dict(type="EpochSeedHook"),
    dict(type="MeanOverProcessesHook"),
    dict(type="ProblemHook"),
    dict(type="ProgressHook"),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    # Seconds that a process waits for another that is silent, see docs/training_at_scale.md.
    dist_cfg=dict(backend="nccl", timeout=1800),
)
randomness = dict(seed=0)

visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
log_processor = dict(type="LogProcessor", window_size=50, by_epoch=True)
log_level = "INFO"

load_from = None
resume = False
