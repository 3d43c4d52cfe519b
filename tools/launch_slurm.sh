#!/usr/bin/env bash
# tools/launch_slurm.sh SCRIPT PARTITION JOB_NAME CONFIG [arguments of SCRIPT]: called by slurm_train.sh and slurm_test.sh.
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS and MASTER_PORT (from the number of the job) are read from
# the environment; docs/training_at_scale.md says what they are.
set -euo pipefail
if [ $# -lt 4 ]; then echo "usage: GPUS=8 bash tools/slurm_${1%.py}.sh PARTITION JOB_NAME CONFIG [arguments of tools/$1]" >&2; exit 2; fi
SCRIPT=$1 PARTITION=$2 JOB_NAME=$3 CONFIG=$4; shift 4
GPUS=${GPUS:-8} GPUS_PER_NODE=${GPUS_PER_NODE:-8} CPUS_PER_TASK=${CPUS_PER_TASK:-5}
# Fewer than a node has: no more are asked for.
GPUS_PER_NODE=$(( GPUS < GPUS_PER_NODE ? GPUS : GPUS_PER_NODE ))
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-$ROOT/.venv/bin/python}
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
# The first host of the allocation is where the processes meet, and the number of the job makes the port its own; both
# are known only inside the allocation.
LAUNCH='export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)'
LAUNCH+=' MASTER_PORT=${MASTER_PORT:-$(( 20000 + SLURM_JOB_ID % 20000 ))}; exec "$@"'
# SRUN_ARGS is a list of words.
# shellcheck disable=SC2086
exec srun -p "$PARTITION" --job-name="$JOB_NAME" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
  --gres="gpu:$GPUS_PER_NODE" --cpus-per-task="$CPUS_PER_TASK" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  bash -c "$LAUNCH" _ "$PYTHON" -u "$ROOT/tools/$SCRIPT" "$CONFIG" --launcher slurm "$@"
