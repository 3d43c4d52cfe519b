# make setup   a .venv with everything (made once; made again when a requirements file changes)
# make demo    data, training, test, score, submission and pictures in work_dirs/demo
# make studies tables 3 to 5 of the DAP report at quick size, three seeds: one to two hours; docs/results.md holds them
# make pcf-studies the tables of PCF and of the 2021 runner-up, likewise
# make tapos-studies temporal parsing: the tables of TAPOS, likewise
# make test    the tests
# make lint    style, types
# make annotate    what tools/annotate.py needs on top (MediaPipe)
# make language    what configs/systems/scu.py needs on top: transformers, and a small language model to use offline
# make export      what tools/export.py and the engines ONNX Runtime and OpenVINO need on top
# make cluster     what tools/parse_collection.py needs on top: Ray
# make benchmarks  speed and memory against peers and limits; docs/benchmarks.md holds the tables
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEMO := work_dirs/demo
SYSTEM := configs/quick/systems/dap.py
STUDIES := work_dirs/studies
POSE := configs/quick/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py

TSN := tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb
FEATURES := bn-inception-x4_tsn_synthetic-64

.PHONY: setup demo studies study-data pcf-studies pcf-study-data tapos-studies tapos-study-data test lint annotate language export cluster benchmarks

setup: $(READY)

$(READY): requirements.txt requirements/openmmlab.txt requirements/dev.txt setup.py tools/setup.sh
	@bash tools/setup.sh "$(PYTHON)" "$(VENV)"

demo: $(READY)
	$(PY) tools/prepare_data.py synthetic --out $(DEMO)/data
	$(PY) tools/reproduce.py $(SYSTEM) --work-dir $(DEMO) --cfg-options data_root=$(DEMO)/data
	$(PY) tools/evaluate.py --gt $(DEMO)/ground_truth --pred $(DEMO)/submission

study-data: $(READY)
	$(PY) tools/prepare_data.py synthetic --out $(STUDIES)/data --actions 12 --train 32 --test 15
	$(PY) tools/prepare_data.py splits $(STUDIES)/data

studies: study-data
	for table in 3 4 5; do $(PY) tools/study.py configs/quick/studies/dap_table$$table.py --seeds 0 1 2 || exit 2; done

pcf-study-data: $(READY)
	$(PY) tools/prepare_data.py synthetic --out $(STUDIES)/pcf_data --actions 8 --train 24 --test 5 --frames 90
	$(PY) tools/prepare_data.py flow $(STUDIES)/pcf_data --short-side 72 --effort quick
	$(PY) tools/prepare_data.py synthetic --out $(STUDIES)/pose_data --actions 8 --train 150 --test 1 --frames 10 --seed 7
	$(PY) tools/train.py $(POSE) --work-dir $(STUDIES)/pose --seed 0 --resume \
	  --cfg-options data_root=$(STUDIES)/pose_data train_dataloader.dataset.frame_step=1 train_cfg.max_epochs=4

pcf-studies: pcf-study-data
	for table in pcf_table2 runner_up_table1 pcf_table3 pcf_table1; do \
	  $(PY) tools/study.py configs/quick/studies/$$table.py --seeds 0 1 2 || exit 2; done

# The features are of a network that has learnt to tell the sports apart, beside whose folder they look for its weights.
tapos-study-data: $(READY)
	$(PY) tools/prepare_data.py tapos synthetic --out $(STUDIES)/tapos_data --sports 8 --train 30 --val 15
	$(PY) tools/train.py configs/quick/action_recognition/$(TSN).py --work-dir $(STUDIES)/tapos_features/$(TSN) --seed 0 --resume
	for subset in train val; do \
	  $(PY) tools/test.py configs/quick/frame_features/$(FEATURES).py --work-dir $(STUDIES)/tapos_features/$(FEATURES) \
	    --cfg-options test_split=$$subset || exit 2; done

tapos-studies: tapos-study-data
	for table in 2 3 4; do $(PY) tools/study.py configs/quick/studies/tapos_table$$table.py --seeds 0 1 2 || exit 2; done

test: $(READY)
	$(PY) -m pytest

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

annotate: $(VENV)/.annotate

$(VENV)/.annotate: $(READY) requirements/annotate.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/annotate.txt
	$(PY) -c 'import mediapipe' 2> $(VENV)/annotate.log || { cat $(VENV)/annotate.log >&2; exit 2; }
	@touch $@

language: $(VENV)/.language

# The model's package without its list, see the file; pip takes --no-deps for all that it is given or for nothing.
$(VENV)/.language: $(READY) requirements/language.txt
	grep '^transformers' requirements/language.txt | $(PY) -m pip install --quiet --disable-pip-version-check -r /dev/stdin
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/language.txt
	$(PY) -c 'import transformers' 2> $(VENV)/language.log || { cat $(VENV)/language.log >&2; exit 2; }
	@touch $@

cluster export: %: $(VENV)/.%

# With the main list, which keeps NumPy below 2.
$(VENV)/.export $(VENV)/.cluster: $(VENV)/.%: $(READY) requirements/%.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements/$*.txt
	@touch $@

benchmarks: $(READY)
	for name in decode index_build index_open person_crops average_precision transparser_training preparation training_speed \
	  backends evaluate_submission pipeline; do $(PY) benchmarks/$$name.py || exit 2; done
