# Two commands do what is wanted daily: `make demo` and `make test`. `make` alone lists all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
T ?=
WORKERS ?= auto
SEED ?= 1
MINUTES ?= 2
CODE := shared services cli deploy demo tests
# At most four, since each worker that needs Kafka and MongoDB starts its own.
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4

.PHONY: help demo down test faults deployment oidc cases chaos bench bench-million mutants contracts lint format lock sbom audit deploy-check clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(READY) ## Start the platform and run a whole national year on it; it stays up
	@$(BIN)/langhoc demo

down: $(READY) ## Stop the platform
	@$(BIN)/langhoc down

test: $(READY) ## Run the tests but the long ones of the next three (T=tests/unit picks some, T=tests all; WORKERS=0: in one process)
	@$(PYTEST) $(or $(T),tests --ignore=tests/faults --ignore=tests/deployment --ignore=tests/oidc)

faults: $(READY) ## Kill and freeze services, broker and database, one at a time, and see that nothing is lost
	@$(PYTEST) $(or $(T),tests/faults)

deployment: $(READY) ## Start, lose, restart and stop the platform as an operator does
	@$(PYTEST) $(or $(T),tests/deployment)

oidc: $(READY) ## Try tokens of a real Keycloak (fetched once, 165 MB; some minutes the first time)
	@$(BIN)/python -m pytest tests/oidc

cases: $(READY) ## Play tests/cases on the real platform (C=path for others)
	@$(BIN)/python -m tests.casework $(C)

chaos: $(READY) ## Kills, freezes, bombs, floods, wrong clocks under load, then check every figure (SEED=1 MINUTES=2)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES)

bench: $(READY) ## Measure speed beside baselines of the same run, into build/bench.json (QUICK=1: less of it; M="national change": only these)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--sizes quick) $(M)

bench-million: $(READY) ## Measure what a record costs behind a million others, and a million titles, and the memory meanwhile (an hour)
	@$(BIN)/python -m tests.bench --sizes million --json build/bench-million.json $(or $(M),backlog titles)

mutants: $(READY) ## Take one safeguard after the other away and show that tests notice
	@$(BIN)/python -m tests.faults.mutations

contracts: $(READY) ## Write schemas, AsyncAPI document and page of the contracts (RELEASE=1: what later ones are compared with)
	@$(BIN)/python -m deploy.contracts $(if $(RELEASE),release)

lint: $(READY) ## Check style, types and architecture
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

lock: $(READY) ## Renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --generate-hashes --all-extras --no-header --python-version 3.11 \
		pyproject.toml --output-file requirements.lock

sbom: $(READY) ## Write the bill of materials of all that is locked (CycloneDX, build/sbom.cdx.json)
	@$(BIN)/python -m deploy.inventory sbom

audit: $(READY) ## Look up known faults of all that is locked (OSV=all.zip: in a copy of the database, without a network)
	@$(BIN)/python -m deploy.inventory audit $(if $(OSV),--osv $(OSV))

deploy-check: $(READY) ## Look at image, compose file, chart and alerts with hadolint, helm, promtool and schemas
	@$(BIN)/python -m deploy.checking

clean: ## Remove the virtual environment and caches (data of the platform stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamp is newer than lock and project file exactly when the environment is theirs.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || command -v python3 >/dev/null || { \
		echo "Python 3.11 is missing. Install it (Debian: apt-get install python3.11 python3.11-venv), or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@python=$$(command -v $(PYTHON) || command -v python3); \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "Langhoc needs Python 3.11, $$python is $$($$python --version). Name it: make PYTHON=/path/to/python3.11"; exit 1; }; \
	echo "· Setting up $(VENV) (about a minute the first time)"; \
	test -x $(BIN)/python || $$python -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
