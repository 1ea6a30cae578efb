# The one front door. `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two cores carry three workers: the browser, crash and fault tests mostly wait for other processes.
WORKERS ?= 3

# One database, no programs started, no pages drawn: what fits into half a minute.
FAST := $(addprefix tests/,architecture protocols firmware_configs edge/buffer edge/health edge/poller edge/settings \
	cloud/core cloud/accounts cloud/properties cloud/fleet cloud/alarms cloud/tickets)

.DEFAULT_GOAL := help
.PHONY: help demo test check static fast soak bench docs vendor lock setup setup-demo setup-system clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: setup-demo ## run cloud, practice estate, practice building and a box; Ctrl-C stops them
	@$(BIN)/gatehouse-site demo --folder var/demo

test: setup setup-system static ## everything that must hold, with fixed seeds and small counts
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not browser" tests
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m browser tests  # apart: the browser's driver keeps a loop in its thread

check: setup static fast ## lint, types, import contracts and the fast tests, in under a minute

static: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

fast: setup
	@$(BIN)/pytest -q -n 2 -m "not slow and not browser" -k "not postgresql and not influxdb" $(FAST)

soak: setup setup-system ## the full counts of kills and commands, with a random, printed seed
	@GATEHOUSE_SOAK=1 $(BIN)/pytest -x -s -m soak tests

bench: setup setup-system ## measure the figures of docs/figures.md
	@$(BIN)/python -m tests.benchmarks

docs: setup ## write the generated pages of docs/
	@$(BIN)/python -m tests.generated_docs

vendor: setup ## fetch third-party front-end files and purge the styles (the one target that needs Node)
	@$(BIN)/python -m firmware_configs.look.vendor

COMPILE := $(BIN)/uv pip compile pyproject.toml --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --quiet --upgrade \
	--custom-compile-command "make lock"
lock: setup ## refresh the hash-locked requirement files
	@$(COMPILE) --extra dev --output-file requirements/dev.txt
	@for extra in edge cloud site; do \
		$(COMPILE) --extra $$extra --extra build --constraint requirements/dev.txt \
			--output-file requirements/$$extra.txt; done

setup: $(VENV)/dev.stamp
setup-demo: $(VENV)/site.stamp
	@$(PYTHON) provisioning/system_packages.py demo

setup-system:
	@$(PYTHON) provisioning/system_packages.py test

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gatehouse needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "installing what requirements/$*.txt locks ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/$*.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean: ## remove the environment, caches and the demo's data
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
