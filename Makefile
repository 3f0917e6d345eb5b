PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test check quick bench clean

help: ## List the targets.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 8

run: $(READY) ## Set up .venv and run scenarios/quickstart.toml.
	$(BIN)/twin run scenarios/quickstart.toml

test: check ## Run the checks and all tests but the slow ones.
	$(BIN)/pytest -n auto

check: $(READY) ## Check style, formatting, types and import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quick: $(READY) ## Run the tests without those of the literal algorithms and the recorded rows.
	$(BIN)/pytest -n auto --ignore-glob='tests/test_literal*.py' --ignore=tests/test_goldens.py

bench: $(READY) ## Run the benchmarks.
	$(BIN)/python -m benchmarks

clean: ## Remove .venv and build products.
	rm -rf $(VENV) build *.egg-info

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
