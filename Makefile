# Every target sets up what it needs; a machine needs CPython 3.11 or newer, pip, make and git.
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(name))))
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false

.PHONY: help venv run test test-docker test-all bench bench-memory lint format check-deployment bootstrap deploy types sample lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.runtime ## the environment with prefect and monthly-sales, in .venv

run: $(VENV)/.runtime ## publish the fourteen sample months of data/ in reports/
	$(BIN)/monthly-sales backfill --first 2024-04 --last 2025-04
	$(BIN)/monthly-sales run --month 2025-05

test: $(VENV)/.tests ## the short tests with branch coverage, without those that need Docker
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore=tests/docker --cov --cov-fail-under=95

test-docker: $(VENV)/.tests ## the tests of the image and of a deployment, on a real Docker engine
	$(BIN)/pytest tests/docker

test-all: $(VENV)/.tests ## all tests in their long form
	HYPOTHESIS_PROFILE=long $(BIN)/pytest --cov --cov-fail-under=95

bench: $(VENV)/.tests $(VENV)-bench/.packages ## time and memory compared with the usual script: make bench SIZES="real 10k"
	$(BIN)/python tests/benchmarks/run.py $(SIZES)

bench-memory: $(VENV)/.tests ## months of three sizes in limited memory; needs root or systemd
	$(BIN)/pytest tests/benchmarks/bench_memory.py

lint: $(VENV)/.tests ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-deployment: $(VENV)/.runtime ## find unset and unknown variables in prefect.yaml, which Prefect accepts
	$(BIN)/python deployments/check.py

bootstrap: $(VENV)/.runtime ## make work pool, queues, credentials and alerts on the Prefect server; safe to run again
	$(BIN)/python deployments/bootstrap.py $(BOOTSTRAP)

deploy: $(VENV)/.runtime ## check prefect.yaml, build and push the image, deploy it and update the schedules
	$(BIN)/python deployments/deploy.py

types: $(VENV)/.tests ## check the types, strictly
	$(BIN)/mypy

format: $(VENV)/.tests ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

sample: $(VENV)/.runtime ## generate the sample workbooks again
	$(BIN)/python data/generate.py

lock: $(VENV)/.tests ## resolve and lock the dependencies of pyproject.toml again
	$(BIN)/uv pip compile $(LOCK) --output-file deployments/requirements.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --group dev --constraint deployments/requirements.txt \
		--output-file tests/requirements.txt pyproject.toml
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-strip-extras \
	--custom-compile-command 'make lock'

clean: ## remove the environment and all caches
	rm -rf $(VENV) $(VENV)-bench reports build *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.runtime: deployments/requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "CPython 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV), which takes about a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --no-deps --require-hashes --requirement deployments/requirements.txt
	@$(INSTALL) --no-deps --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.runtime tests/requirements.txt
	@$(INSTALL) --no-deps --require-hashes --requirement tests/requirements.txt
	@touch $@

# pandas and DuckDB are not dependencies of the project: the script that it is compared with has its own environment.
$(VENV)-bench/.packages: tests/benchmarks/requirements.txt
	@test -x $(VENV)-bench/bin/python || $(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
