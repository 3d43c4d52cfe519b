#!/usr/bin/env bash
# tools/launch.sh N SCRIPT [arguments]: SCRIPT in N processes by torchrun. Called by dist_train.sh and dist_test.sh.
# On several machines: NNODES, and either MASTER_ADDR, MASTER_PORT and NODE_RANK, or RDZV_ENDPOINT and RDZV_ID.
# docs/training_at_scale.md says what they are.
set -euo pipefail
PROCESSES=$1; shift
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-$ROOT/.venv/bin/python}
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
# Several processes share the cores; torchrun's own default of one thread would leave cores idle.
CORES=$("$PYTHON" -c 'import os; print(len(os.sched_getaffinity(0)))')
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( CORES > PROCESSES ? CORES / PROCESSES : 1 ))}
export MKL_NUM_THREADS=${MKL_NUM_THREADS:-$OMP_NUM_THREADS}
if [ -n "${RDZV_ENDPOINT:-}" ]; then
  RENDEZVOUS=(--nnodes "${NNODES:?set NNODES}" --rdzv_backend c10d --rdzv_endpoint "$RDZV_ENDPOINT" --rdzv_id "${RDZV_ID:?set RDZV_ID}")
elif [ "${NNODES:-1}" -gt 1 ]; then
  RENDEZVOUS=(--nnodes "$NNODES" --node_rank "${NODE_RANK:?set NODE_RANK}" --master_addr "${MASTER_ADDR:?set MASTER_ADDR}" --master_port "${MASTER_PORT:-29500}")
else
  RENDEZVOUS=(--standalone)
fi
# torchrun ends with status 1 whatever its processes end with; they tell theirs in this file (tpsparse/cli.py), and in
# the other one where their log is (tpsparse/engine/launch.py).
TPSPARSE_STATUS_FILE=$(mktemp); TPSPARSE_LOG_TOLD=$(mktemp)
export TPSPARSE_STATUS_FILE TPSPARSE_LOG_TOLD
trap 'rm -f "$TPSPARSE_STATUS_FILE" "$TPSPARSE_LOG_TOLD"' EXIT
"$PYTHON" "$ROOT/tools/launch.py" "${RENDEZVOUS[@]}" --nproc_per_node "$PROCESSES" "$@" --launcher pytorch &
TORCHRUN=$!
trap 'kill -TERM "$TORCHRUN" 2> /dev/null' INT TERM
STATUS=0
wait "$TORCHRUN" || STATUS=$?
while kill -0 "$TORCHRUN" 2> /dev/null; do wait "$TORCHRUN" || STATUS=$?; done
TOLD=$(cat "$TPSPARSE_STATUS_FILE")
if [ "$STATUS" = 0 ] || [ "$TOLD" = 2 ]; then STATUS=${TOLD:-0}; fi
exit "$STATUS"
