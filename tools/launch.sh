#!/usr/bin/env bash
# tools/launch.sh N SCRIPT [arguments]: SCRIPT in N processes by torchrun. Called by dist_train.sh and dist_test.sh.
set -euo pipefail
PROCESSES=$1; shift
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-$ROOT/.venv/bin/python}
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
# Several processes share the cores; torchrun's own default of one thread would leave cores idle.
CORES=$("$PYTHON" -c 'import os; print(len(os.sched_getaffinity(0)))')
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( CORES > PROCESSES ? CORES / PROCESSES : 1 ))}
if [ "${NNODES:-1}" -gt 1 ]; then
  RENDEZVOUS=(--nnodes "$NNODES" --node_rank "${NODE_RANK:?set NODE_RANK}" --master_addr "${MASTER_ADDR:?set MASTER_ADDR}" --master_port "${MASTER_PORT:-29500}")
else
  RENDEZVOUS=(--standalone)
fi
# torchrun ends with status 1 whatever its processes end with; they tell theirs in this file (tpsparse/cli.py).
export TPSPARSE_STATUS_FILE=$(mktemp)
trap 'rm -f "$TPSPARSE_STATUS_FILE"' EXIT
"$PYTHON" -m torch.distributed.run "${RENDEZVOUS[@]}" --nproc_per_node "$PROCESSES" "$@" --launcher pytorch &
TORCHRUN=$!
trap 'kill -TERM "$TORCHRUN" 2> /dev/null' INT TERM
STATUS=0
wait "$TORCHRUN" || STATUS=$?
while kill -0 "$TORCHRUN" 2> /dev/null; do wait "$TORCHRUN" || STATUS=$?; done
TOLD=$(cat "$TPSPARSE_STATUS_FILE")
if [ "$STATUS" = 0 ] || [ "$TOLD" = 2 ]; then STATUS=${TOLD:-0}; fi
exit "$STATUS"
