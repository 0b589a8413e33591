# Two commands for a fresh machine: `make run` draws a picture and keeps serving, `make test` runs everything.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
FIRST_PICTURE ?= a red fox in a snowy forest at golden hour

.PHONY: run test lint format docs sheet bench clean

run: .venv/installed
	BRUSHWORK_LOG_LEVEL=$${BRUSHWORK_LOG_LEVEL:-warning} $(BIN)/brushwork serve --first-picture "$(FIRST_PICTURE)"

test: .venv/installed-dev
	$(BIN)/python -m pytest

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed-dev
	$(BIN)/python scripts/generate_docs.py

sheet: .venv/installed
	$(BIN)/python scripts/contact_sheet.py

bench: .venv/installed-dev
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache pictures

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
