# Needs Python 3.11+ and make, nothing else. Everything is installed under .tools and .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS = never

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$python && break; done)
UV := .tools/bin/uv
# An environment for development has everything that running needs: never shrink it.
INSTALLED := $(if $(wildcard .venv/.dev),.venv/.dev,.venv/.run)
ARGS ?=

.PHONY: help run test check bench fmt lock clean

help:
	@echo "make run      start it: web, queue, embedded database (ARGS='--port 9000' passes options)"
	@echo "make test     run the whole test suite (ARGS='tests/house' runs a part)"
	@echo "make check    lint, types, import contracts, templates"
	@echo "make bench    measure, and compare with what is promised (ARGS=--full: a million findings)"
	@echo "make fmt      format code and templates"
	@echo "make lock     write the lock files anew from pyproject.toml"
	@echo "make clean    remove what was installed; data stays"

run: $(INSTALLED)
	@exec .venv/bin/python manage.py up --sandbox-jira $(ARGS)

test: .venv/.dev
	.venv/bin/pytest -n auto --dist worksteal $(ARGS)

check: .venv/.dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint templates --lint --quiet
	.venv/bin/djhtml --check templates
	.venv/bin/python manage.py check --fail-level WARNING

bench: .venv/.dev
	.venv/bin/python -m tests.bench $(ARGS)

fmt: .venv/.dev
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format .
	.venv/bin/djhtml templates

lock: $(UV)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		pyproject.toml --output-file requirements.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group dev --constraints requirements.txt \
		pyproject.toml --output-file requirements-dev.txt

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(UV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (or: make PYTHON=/path)."; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

.venv/bin/python: | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv

.venv/.run: requirements.txt | .venv/bin/python
	$(UV) pip sync --quiet --require-hashes --python .venv/bin/python requirements.txt
	@touch $@

.venv/.dev: requirements.txt requirements-dev.txt | .venv/bin/python
	$(UV) pip sync --quiet --require-hashes --python .venv/bin/python requirements-dev.txt
	@touch $@
