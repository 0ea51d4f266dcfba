# Every target prepares what it needs and a second run repeats none of it.
# Set-up talks on stderr; stdout belongs to the program that a target runs.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-swebench lock clean venv engine

# Some machines switch byte code off; half of a short run would be compiling.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: venv engine ## an agent fixes a real bug in a container; the result is the last line (ARGS="--quiet" adds options)
	@$(BIN)/python -m agent_runner --config configs/demo.yaml $(ARGS)

test: venv engine ## every test: first those without Docker, then the rest
	@$(BIN)/python -m pytest tests/unit -n auto --dist worksteal
	@$(BIN)/python -m pytest tests --ignore=tests/unit

check: venv ## format, lint and types
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

bench: venv engine ## the table of measured times, also written to sandbox/bench/
	@$(BIN)/python -m tests.bench

bench-swebench: venv engine ## our grading beside the official harness; goes on where it was cut short (DATA=rows.jsonl MIRRORS=directory)
	@[ -n "$(DATA)" ] && [ -n "$(MIRRORS)" ] || { echo "make bench-swebench DATA=rows.jsonl MIRRORS=directory" >&2; exit 2; }
	@$(BIN)/python -m tests.bench.swebench --data "$(DATA)" --mirrors "$(MIRRORS)" $(ARGS)

lock: venv ## resolves requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-config --default-index https://pypi.org/simple \
		--upgrade --quiet --output-file requirements.lock

clean: ## removes what runs left behind and the caches in the checkout; .venv, images and results stay
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m agent_runner clean; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find agent_runner tools tests scripts -name __pycache__ -prune -exec rm -rf {} +

# A .venv that is a link belongs to whoever made it: used as it is, never rebuilt.
venv:
	@key="$$(cat requirements.lock pyproject.toml | sha256sum) $(CURDIR)"; \
	[ -L .venv ] || { [ -x $(BIN)/python ] && [ "$$key" = "$$(cat .venv/.complete 2>&1)" ]; } \
		|| $(PYTHON) scripts/bootstrap.py "$$key"

engine:
	@docker/engine.sh
