#!/usr/bin/env bash
# GPUS=8 GPUS_PER_NODE=8 bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG [arguments of tools/test.py]
set -euo pipefail
if [ $# -lt 3 ]; then echo "usage: bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG [arguments of tools/test.py]" >&2; exit 2; fi
PARTITION=$1 JOB_NAME=$2 CONFIG=$3; shift 3
GPUS=${GPUS:-8} GPUS_PER_NODE=${GPUS_PER_NODE:-8} CPUS_PER_TASK=${CPUS_PER_TASK:-5}
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-$ROOT/.venv/bin/python}
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" MASTER_PORT=${MASTER_PORT:-29500}
# The first host of the allocation is where the processes meet; it is known only inside the allocation.
export LAUNCH='export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1); exec "$@"'
exec srun -p "$PARTITION" --job-name="$JOB_NAME" --gres="gpu:$GPUS_PER_NODE" --ntasks="$GPUS" \
  --ntasks-per-node="$GPUS_PER_NODE" --cpus-per-task="$CPUS_PER_TASK" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  bash -c "$LAUNCH" _ "$PYTHON" -u "$ROOT/tools/test.py" "$CONFIG" --launcher slurm "$@"
