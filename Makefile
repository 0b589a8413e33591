# Two commands for a fresh machine: `make run` draws a picture and keeps serving, `make test` runs everything.
# `make help` lists the others.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Drawn once; later starts draw only what is asked for with FIRST_PICTURE="…".
FIRST_PICTURE ?= $(if $(wildcard pictures/first-grid.png),,a red fox in a snowy forest at golden hour)
MINUTES ?= 15
TOOLS := src/brushwork/engines/tools/models
SR := training/super_resolution
# Of the learned painter: cpu or gpu, see training/flow/README.md.
PRESET ?= cpu
MATTING := training/matting_depth
MATTING_MINUTES ?= 120
TAGS := training/tags
# Half of them paint, the other half train.
TAGS_MINUTES ?= 100
# Painted pictures and photographs to learn from, a few hundred megabytes.
DATA ?= $(HOME)/.cache/brushwork/training

.PHONY: run test test-diffusers chaos lint format docs sheet gate bench train-super-resolution train-matting train-depth train-tags train-flow clean help

run: .venv/installed ## install, start the server and a worker, draw a first picture, keep serving
	@BRUSHWORK_LOG_LEVEL=$${BRUSHWORK_LOG_LEVEL:-warning} $(BIN)/brushwork serve $(if $(FIRST_PICTURE),--first-picture "$(FIRST_PICTURE)")

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: .venv/installed-dev ## run all tests, on SQLite and on a PostgreSQL of their own
	$(BIN)/python -m pytest

test-diffusers: .venv-diffusers/installed ## run the tests of the diffusers engine, with torch, on tiny random models
	.venv-diffusers/bin/python -m pytest tests/engines/diffusion

chaos: .venv/installed-dev ## ask for 10 000 jobs while everything is killed at random, and read the books
	CHAOS_SECONDS=3600 $(BIN)/python -m pytest -s tests/journeys/test_chaos.py

lint: .venv/installed-dev ## ruff, mypy, the import rules, fresh reference pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

format: .venv/installed-dev ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed-dev ## write docs/reference/ from the code
	$(BIN)/python scripts/generate_docs.py

sheet: .venv/installed ## draw the contact sheet of forty prompts
	$(BIN)/python scripts/contact_sheet.py

gate: .venv/installed ## draw the gate of a hundred prompts and write what was understood
	$(BIN)/python scripts/gate.py

bench: .venv/installed-dev ## measure prompts, jobs, the API and the painter
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

train-super-resolution: .venv/installed-training ## train the super-resolution networks anew, in twice MINUTES on one core
	mkdir -p $(SR)/weights
	$(BIN)/python -m training.super_resolution.train --factor 2 --minutes $(MINUTES) \
		--out $(SR)/weights/x2.pt --onnx $(TOOLS)/super_resolution_x2.onnx
	$(BIN)/python -m training.super_resolution.train --factor 4 --minutes $(MINUTES) --from $(SR)/weights/x2.pt \
		--out $(SR)/weights/x4.pt --onnx $(TOOLS)/super_resolution_x4.onnx

train-matting: .venv/installed-training ## train the network of matting and depth anew, in MATTING_MINUTES on one core
	mkdir -p $(MATTING)/weights
	$(BIN)/python -m training.matting_depth.train --minutes $(MATTING_MINUTES) --data $(DATA)/matting_depth \
		--out $(MATTING)/weights/matting_depth.pt --onnx $(TOOLS)/matting_depth.onnx

train-depth: train-matting ## the same network: its other answer

train-tags: .venv/installed-training ## train the network that tells what a picture shows, in TAGS_MINUTES on one core
	mkdir -p $(TAGS)/weights
	$(BIN)/python -m training.tags.collect --photos $(SR)/pictures/photos --out $(DATA)/tags/photos
	$(BIN)/python -m training.tags.collect --minutes $$(($(TAGS_MINUTES) / 2)) --out $(DATA)/tags/painted
	$(BIN)/python -m training.tags.train --features $(DATA)/tags/photos $(DATA)/tags/painted \
		--minutes $$(($(TAGS_MINUTES) / 2)) --out $(TAGS)/weights/tags.pt --onnx $(TOOLS)/tags.onnx

train-flow: .venv/installed-training ## train the learned painter in MINUTES into training/flow/weights/model
	$(BIN)/python -m training.flow.train --preset $(PRESET) --minutes $(MINUTES) \
		--work training/flow/weights --out training/flow/weights/model

clean: ## remove .venv, caches and pictures
	rm -rf .venv .venv-diffusers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache pictures

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Brushwork needs Python 3.11 or newer; set PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@echo "Installing Brushwork into .venv (about a minute the first time)"
	$(PIP) install --quiet --editable .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	@echo "Installing Brushwork and what its tests need into .venv"
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@ .venv/installed

.venv/installed-training: .venv/installed training/requirements.txt
	@echo "Installing what training needs into .venv"
	$(PIP) install --quiet --requirement training/requirements.txt
	@touch $@

.venv-diffusers/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Brushwork needs Python 3.11 or newer; set PYTHON=python3.11"; exit 1; }
	@echo "Installing Brushwork with torch into .venv-diffusers (gigabytes the first time)"
	test -x .venv-diffusers/bin/python || $(PYTHON) -m venv .venv-diffusers
	.venv-diffusers/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[dev,diffusers]'
	@touch $@
