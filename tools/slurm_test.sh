#!/usr/bin/env bash
# GPUS=8 GPUS_PER_NODE=8 bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG [arguments of tools/test.py]
exec "$(dirname "$0")/launch_slurm.sh" test.py "$@"
