# make demo: the main job from start to end.   make test: all the tests.   Both set everything up.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/
# Pinned versions make a fresh set-up today equal one next year; CONSTRAINTS= takes the newest.
CONSTRAINTS ?= constraints.txt
DEMO ?= runs/demo

.PHONY: demo test test-slow check format docs benchmarks gallery clean setup

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN)pip install -q $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[dev]'
	touch $@

demo: setup
	@PATH="$(CURDIR)/$(RUN):$$PATH" sh docs/demo/demo.sh $(DEMO)

test: setup
	$(RUN)pytest -n auto

test-slow: setup
	$(RUN)pytest -m slow

check: setup
	$(RUN)ruff format --check .
	$(RUN)ruff check .
	$(RUN)mypy
	$(RUN)lint-imports --no-cache
	$(RUN)gan-advisor kb check
	$(RUN)python -m knowledge.schemas --check
	$(RUN)python -m advisor.kb.catalogue --check

format: setup
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

benchmarks: setup
	$(RUN)python -m tests.benchmarks.frechet
	$(RUN)python -m tests.benchmarks.features
	$(RUN)python -m tests.benchmarks.loop
	$(RUN)python -m tests.benchmarks.library
	$(RUN)python -m tests.benchmarks.costs
	$(RUN)python -m tests.benchmarks.advice_speed
	$(RUN)python -m tests.benchmarks.advice
	$(RUN)python -m tests.benchmarks.halving

# Less than an hour on two idle cores; goes on where it was interrupted.
gallery: setup
	$(RUN)python -m tests.benchmarks.gallery --jobs 2

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
