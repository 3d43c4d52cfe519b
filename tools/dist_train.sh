#!/usr/bin/env bash
# bash tools/dist_train.sh CONFIG N [arguments of tools/train.py]
# N processes on this machine; on several machines set NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT on each.
set -euo pipefail
if [ $# -lt 2 ]; then echo "usage: bash tools/dist_train.sh CONFIG N [arguments of tools/train.py]" >&2; exit 2; fi
CONFIG=$1 PROCESSES=$2; shift 2
exec "$(dirname "$0")/launch.sh" "$PROCESSES" "$(dirname "$0")/train.py" "$CONFIG" "$@"
