#!/usr/bin/env bash
# GPUS=8 GPUS_PER_NODE=8 bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
exec "$(dirname "$0")/launch_slurm.sh" train.py "$@"
