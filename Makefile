# make demo: the main job from start to end.   make test: all the tests.   Both set everything up.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/
# Pinned versions make a fresh set-up today equal one next year; CONSTRAINTS= takes the newest.
CONSTRAINTS ?= constraints.txt
DEMO ?= runs/demo
# Strict: a link that leads nowhere and a page that is not in the menu are mistakes.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(RUN)mkdocs build --strict --quiet

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
	$(RUN)python -m tests.docs.reference --check
	$(MKDOCS)

format: setup
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

# In site/: open site/index.html. While you write: .venv/bin/mkdocs serve
docs: setup
	$(RUN)python -m tests.docs.reference
	$(MKDOCS)

benchmarks: setup
	$(RUN)python -m tests.benchmarks.frechet
	$(RUN)python -m tests.benchmarks.features
	$(RUN)python -m tests.benchmarks.loop
	$(RUN)python -m tests.benchmarks.loops --distance
	$(RUN)python -m tests.benchmarks.starts
	$(RUN)python -m tests.benchmarks.library
	$(RUN)python -m tests.benchmarks.costs
	$(RUN)python -m tests.benchmarks.advice_speed
	$(RUN)python -m tests.benchmarks.advice
	$(RUN)python -m tests.benchmarks.halving
	$(RUN)python -m tests.benchmarks.scheduling

# Less than an hour on two idle cores; goes on where it was interrupted.
gallery: setup
	$(RUN)python -m tests.benchmarks.gallery --jobs 2

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist site
