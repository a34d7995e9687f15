# `make help` lists what can be made. Everything lives in .venv; a second run installs nothing again.
# ARGS passes words on: make test ARGS="-k visibility", make demo ARGS="--port 9001".

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev

# Hospitals look into TLS: trust whom the system trusts.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak faults sim pictures guide reference lock

help: ## List what can be made.
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target sentence; do \
		printf '  make %-10s %s\n' "$$target" "$$sentence"; done

demo: $(RUNTIME) ## Start two nodes that talk to each other, and print their addresses.
	$(BIN)/rounds demo $(ARGS)

test: $(DEV) ## Run every test on SQLite and on PostgreSQL.
	$(BIN)/python tools/system_packages.py
	$(BIN)/python tools/npm_packages.py
	$(BYTECODE) $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(DEV) ## Check format, lint, types and layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

SEEDS ?= 2000
sim: $(DEV) ## Run the simulation of nodes that fail and lie: make sim SEEDS=20000; exit code 1 when a seed fails.
	$(BIN)/python -m tests.sim --seeds $(SEEDS) $(ARGS)

ROUNDS ?= 100
faults: $(DEV) ## End processes by force at their commit boundaries, round after round, on both databases: make faults ROUNDS=100.
	FAULT_ROUNDS=$(ROUNDS) $(BYTECODE) $(BIN)/python -m pytest -m "long or slow" -p no:randomly tests/faults/test_row_13_kill9_rounds.py $(ARGS)

bench: $(DEV) ## Measure what an activity costs, beside the limits of this machine.
	$(BIN)/python -m bench $(ARGS)

SOAK_MINUTES ?= 20
soak: $(DEV) ## Keep a node under ten times its load for twenty minutes: make soak SOAK_MINUTES=5; exit code 1 when it grows.
	$(BIN)/python -m bench.soak --minutes $(SOAK_MINUTES) $(ARGS)

pictures: $(DEV) ## Take pictures of every page, wide and narrow, light and dark, into pictures/.
	$(BIN)/python tools/system_packages.py
	$(BIN)/python -m tools.pictures

guide: $(DEV) ## Take the pictures of docs/operate and docs/member anew.
	$(BIN)/python tools/system_packages.py
	$(BIN)/python -m tools.guide
	$(BIN)/python -m tools.member_guide

reference: $(DEV) ## Write the references of the configuration and of the client API anew from the code.
	$(BIN)/python -m tools.configuration_reference
	$(BIN)/python -m tools.openapi

lock: .venv/.made ## Write both requirement files anew from pyproject.toml; newer versions with ARGS=--upgrade.
	$(COMPILE) --extra postgres --extra s3 pyproject.toml -o requirements.lock
	$(COMPILE) --extra postgres --extra s3 --extra dev pyproject.toml -o requirements-dev.lock

COMPILE = $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --custom-compile-command "make lock" $(ARGS)

# The tests start a hundred processes: each would compile every module anew where nobody keeps what was compiled.
BYTECODE = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/.bytecode

# uv is three times quicker than pip, and not everywhere to be had: then pip does the same from the same hashes.
INSTALL = if [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python $(1); then :; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1); fi

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed. Name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo "uv is not to be had here; pip does its work."
	@touch $@

$(RUNTIME): .venv/.made requirements.lock pyproject.toml
	@echo "Installing what the node needs …"
	@$(call INSTALL,--require-hashes -r requirements.lock)
	@$(call INSTALL,--no-deps --editable .)
	@touch $@

$(DEV): .venv/.made requirements-dev.lock pyproject.toml
	@echo "Installing what the tests need …"
	@$(call INSTALL,--require-hashes -r requirements-dev.lock)
	@$(call INSTALL,--no-deps --editable .)
	@touch $(RUNTIME) $@
