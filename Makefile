# Everything here makes what it needs: a virtual environment in .venv, with pop and all its tools.
# Another interpreter: make PYTHON=python3.12 ...

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# How many tests run at a time.
JOBS ?= 2

.PHONY: help run test lint types docs trial install clean

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(INSTALLED) ## Show the tutorial live, on a ZooKeeper of this machine
	@$(BIN)/python examples/tutorial.py

test: lint types docs trial ## Check everything: style, types, documentation, tests

lint: $(INSTALLED) ## Check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## Check the types
	$(BIN)/mypy
	$(BIN)/mypy examples/*.py examples/zookeeper/*.py benchmarks/*.py

docs: $(INSTALLED) ## Make the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -q -W --keep-going -n -E -b html docs docs/_build/html

trial: $(INSTALLED) ## Run the tests, beside a real ZooKeeper where one is installed
	$(BIN)/python -m txzookeeper.testing \
		$(BIN)/python -m twisted.trial -j$(JOBS) pop txzookeeper

install: $(INSTALLED) ## Make the virtual environment

$(INSTALLED): setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "pop needs Python 3.11 or later, and $(PYTHON) is not: name one, as in" \
			"make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

clean: ## Remove everything that was made here
	rm -rf $(VENV) build dist *.egg-info docs/_build _trial_temp* .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name dropin.cache -delete
