#!/usr/bin/env bash
# tools/setup.sh PYTHON VENV: the environment that the Makefile's targets run in. Run again, it goes on.
set -euo pipefail
PYTHON=$1 VENV=$2
command -v "$PYTHON" > /dev/null || { echo "error: $PYTHON is not installed: tpsparse needs Python 3.10 or 3.11" >&2; exit 2; }
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 11))'; then
  echo "error: $("$PYTHON" --version) is not supported: tpsparse needs Python 3.10 or 3.11 (make PYTHON=python3.11 ...)" >&2
  exit 2
fi
if ! [ -x "$VENV/bin/python" ] || ! "$VENV/bin/python" -m pip --version > /dev/null 2>&1; then
  "$PYTHON" -m venv --clear "$VENV" || { echo "error: $PYTHON has no venv: install it (on Debian: apt-get install python3-venv)" >&2; exit 2; }
fi
# opencv-python and opencv-contrib-python share one folder: removing one of them takes the other's files with it, so that
# an environment that has the plain one loses both before the other is installed.
if "$VENV/bin/python" -m pip show --quiet opencv-python > /dev/null 2>&1; then
  "$VENV/bin/python" -m pip uninstall --quiet --yes opencv-python opencv-contrib-python 2> /dev/null
fi
PIP=("$VENV/bin/python" -m pip install --quiet --disable-pip-version-check)
echo "installing torch and the libraries (several GB the first time)"
"${PIP[@]}" -r requirements.txt -r requirements/dev.txt
echo "installing the OpenMMLab packages"
"${PIP[@]}" --no-deps -r requirements/openmmlab.txt
"${PIP[@]}" --no-deps --no-build-isolation -e .
"$VENV/bin/python" -c 'import tpsparse, mmcv.ops, mmdet.models, mmpose.models, mmaction.models' 2> "$VENV/import.log" ||
  { cat "$VENV/import.log" >&2; echo "error: the packages do not import: remove $VENV and run make setup again" >&2; exit 2; }
touch "$VENV/.ready"
echo "ready: $("$VENV/bin/python" -c 'import sys, torch, tpsparse; print("Python", sys.version.split()[0], "torch", torch.__version__, "tpsparse", tpsparse.__version__)')"
